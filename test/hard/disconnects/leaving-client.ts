import net from 'node:net'
import { chatRequest } from '../../helper/raw-client.ts'
import type { Dice } from '../fuzz/odd.ts'

/** How a client leaves: it resets, it closes, or it closes its sending side alone and reads on. */
const WAYS = ['reset', 'close', 'half-close'] as const
/** When it leaves. */
const MOMENTS = ['in the head', 'in the body', 'waiting', 'in the answer', 'after the end'] as const

export interface Departure {
  question: string
  way: (typeof WAYS)[number]
  moment: (typeof MOMENTS)[number]
  /** As `performance.now()`; null when the server was first to close. */
  leftAt: number | null
}

/** A client that waits longer than this gives up. */
const PATIENCE_MS = 20_000
const MAX_ANSWER_BYTES = 3_000
const MAX_WAIT_MS = 60

/** Asks one question and leaves before, amid or after its answer. Resolves when the connection is gone. */
export function leave(dice: Dice, url: string, index: number): Promise<Departure> {
  const way = dice.of(WAYS)
  const moment = dice.of(MOMENTS)
  // Who only closes its sending side, or waits for the end, gets one.
  const question = `${way === 'half-close' || moment === 'after the end' ? 'end' : 'never'} ${index}`
  const departure: Departure = { question, way, moment, leftAt: null }
  const { promise, resolve } = Promise.withResolvers<Departure>()
  const { hostname, port } = new URL(url)
  const request = chatRequest({ stream: !dice.once(4), messages: [{ role: 'user', content: question }] })
  const bodyAt = request.indexOf('\r\n\r\n') + 4
  const socket = net.connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  const go = (): void => {
    if (departure.leftAt !== null || socket.destroyed) return
    departure.leftAt = performance.now()
    if (way === 'reset') socket.resetAndDestroy()
    else if (way === 'close') socket.destroy()
    else socket.end()
  }

  const answerBytes = 1 + dice.below(MAX_ANSWER_BYTES)
  let received = 0
  let tail = ''
  socket.on('data', (chunk) => {
    received += chunk.length
    tail = (tail + chunk.toString('latin1')).slice(-200)
    const ended = /\[DONE\]|"finish_reason":"stop"/.test(tail)
    if ((moment === 'in the answer' && received >= answerBytes) || (moment === 'after the end' && ended)) go()
  })
  socket.on('error', () => {}) // a reset by the server is an end as well
  socket.on('end', () => socket.end())
  socket.on('close', () => resolve(departure))
  socket.setTimeout(PATIENCE_MS, () => socket.destroy())
  const wait = dice.below(MAX_WAIT_MS)
  const headBytes = dice.below(bodyAt)
  const bodyBytes = bodyAt + dice.below(Buffer.byteLength(request) - bodyAt)
  socket.on('connect', () => {
    if (moment === 'in the head') socket.write(request.slice(0, headBytes))
    else if (moment === 'in the body') socket.write(Buffer.from(request).subarray(0, bodyBytes))
    else socket.write(request)
    // A half answer in JSON is held back: who waits for bytes of it leaves in the end all the same.
    if (moment !== 'in the answer' && moment !== 'after the end') setTimeout(go, wait)
    else if (moment === 'in the answer') setTimeout(go, 400 + wait)
  })
  return promise
}
