import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { JSON_ANSWER, stampedChunk, streamOf } from './upstream/answers.ts'
import type { UpstreamMode } from './upstream/modes.ts'
import { createTicker, type Step } from './upstream/ticker.ts'

// The mock upstream, in a process of its own. It reads no body and answers every request as it was last told to.
let mode: UpstreamMode = { answer: 'json' }
let chunks: Buffer[] = []
let ticker = createTicker(10)
const JSON_HEADERS = { 'content-type': 'application/json', 'content-length': JSON_ANSWER.length }
const STREAM_HEADERS = { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' }

const server = createServer((req, res) => {
  req.resume().on('end', () => {
    if (mode.answer === 'json') res.writeHead(200, JSON_HEADERS).end(JSON_ANSWER)
    else stream(res, mode)
  })
})

function stream(res: ServerResponse, { pace, stamped }: Extract<UpstreamMode, { answer: 'stream' }>): void {
  const socket = res.socket as Socket
  const all = chunks
  // The chunks are framed already: `res` sends the head and the end alone.
  socket.cork()
  res.writeHead(200, STREAM_HEADERS).flushHeaders()
  if (typeof pace !== 'number') {
    if (pace === 'chunks') socket.uncork()
    for (const chunk of all) socket.write(chunk)
    res.end()
    return void (pace === 'burst' && socket.uncork())
  }
  socket.write(all[0] ?? '')
  socket.uncork()
  let next = 1
  const step: Step = () => {
    if (socket.destroyed) return false
    const chunk = all[next] ?? ''
    const isDelta = next < all.length - 2
    next += 1
    socket.write(stamped && isDelta ? stampedChunk() : chunk)
    if (next < all.length - 1) return true
    // The end mark follows the last chunk at once.
    socket.cork()
    socket.write(all.at(-1) ?? '')
    res.end()
    socket.uncork()
    return false
  }
  ticker.add(step)
}

process.on('message', (told: UpstreamMode) => {
  mode = told
  if (mode.answer === 'stream') chunks = streamOf(mode.deltas)
  if (mode.answer === 'stream' && typeof mode.pace === 'number') {
    ticker.stop()
    ticker = createTicker(mode.pace)
  }
  process.send?.({ told: true })
})
process.on('disconnect', () => process.exit())

Object.assign(server, { keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 })
server.on('connection', (socket: Socket) => socket.setNoDelay(true))
server.listen({ port: 0, host: '127.0.0.1', backlog: 8_192 }, () => {
  const { port } = server.address() as AddressInfo
  process.send?.({ url: `http://127.0.0.1:${port}` })
})
