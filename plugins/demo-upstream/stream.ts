import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyReply } from 'fastify'
import { type DemoCommand, piecesOf } from './answers.ts'

const PIECE_INTERVAL_MS = 30
/** After how many pieces a command does what it says. */
const COMMAND_AFTER = 5

/** An answer as server-sent events: what comes before its text, each piece of it, and what comes after. */
export interface StreamedAnswer {
  answer: string
  start: string
  piece: (text: string) => string
  end: string
}

/** Sends an answer at a pace that can be watched. */
export async function streamPieces(
  reply: FastifyReply,
  command: DemoCommand | null,
  streamed: StreamedAnswer
): Promise<void> {
  reply.hijack()
  const { raw } = reply
  raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  raw.write(streamed.start)
  for (const [count, text] of piecesOf(streamed.answer).entries()) {
    if (raw.destroyed) return
    if (count === COMMAND_AFTER && command?.kind === 'cut') return void raw.destroy()
    if (count === COMMAND_AFTER && command?.kind === 'stall') return
    raw.write(streamed.piece(text))
    await sleep(PIECE_INTERVAL_MS)
  }
  raw.end(streamed.end)
}
