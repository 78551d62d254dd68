import net from 'node:net'
import type { Dice } from './odd.ts'

const BODY = '{"model":"m","messages":[{"role":"user","content":"Hi"}]}'
const HEAD = 'host: localhost\r\nx-session-id: ann\r\ncontent-type: application/json\r\n'
const POST = `POST /v1/chat/completions HTTP/1.1\r\n${HEAD}`
const GET = `GET /v1/conversations HTTP/1.1\r\n${HEAD}`

/** Bytes that are almost, or not at all, HTTP. Those that ask properly ask for the connection to be closed. */
const BASES = [
  '\r\n',
  '\0\0\0\0',
  'hello\r\n\r\n',
  'GET\r\n\r\n',
  'GET /\r\n\r\n',
  'GET / HTTP/0.9\r\n\r\n',
  'GET / HTTP/1.0\r\n\r\n',
  'GET / HTTP/3.7\r\nhost: a\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'GET / HTTP/1.1\r\n\r\n',
  'GET /\0 HTTP/1.1\r\nhost: a\r\n\r\n',
  'GET /a b HTTP/1.1\r\nhost: a\r\n\r\n',
  'get / http/1.1\r\nhost: a\r\n\r\n',
  'BREW / HTTP/1.1\r\nhost: a\r\n\r\n',
  'CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  `GET http://evil/v1/models HTTP/1.1\r\n${HEAD}connection: close\r\n\r\n`,
  `${GET}connection: close\r\n\r\n`,
  `${GET}host: b\r\nconnection: close\r\n\r\n`,
  `${GET}x: ${'y'.repeat(70_000)}\r\n\r\n`,
  `${GET}${'x: y\r\n'.repeat(3_000)}\r\n`,
  `GET /${'x'.repeat(70_000)} HTTP/1.1\r\nhost: a\r\n\r\n`,
  `${GET}upgrade: websocket\r\nconnection: upgrade, close\r\nsec-websocket-key: x\r\n\r\n`,
  `${GET}upgrade: h2c\r\nconnection: upgrade, http2-settings, close\r\nhttp2-settings: AAA\r\n\r\n`,
  `${GET}expect: 200-ok\r\nconnection: close\r\n\r\n`,
  `${POST}expect: 100-continue\r\nconnection: close\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`,
  `${POST}connection: close\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`,
  `${POST}connection: close\r\ntransfer-encoding: chunked\r\n\r\n${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\nx-late: 1\r\n\r\n`,
  `${POST}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  `${POST}content-length: 1\r\ncontent-length: 2\r\n\r\n{}`,
  `${POST}content-length: -1\r\n\r\n{}`,
  `${POST}content-length: 9999999999\r\n\r\n{}`,
  `${POST}transfer-encoding: chunked\r\n\r\nzz\r\n`,
  `${POST}transfer-encoding: chunked\r\n\r\n5;${'a'.repeat(30_000)}\r\n{}   \r\n0\r\n\r\n`,
  `${POST}transfer-encoding: gzip\r\n\r\n{}`,
  `${POST}connection: close\r\n\r\n`,
  `${GET}\r\n${GET}\r\n${GET}connection: close\r\n\r\n`
]

/** How long a server may keep a half request; then the client leaves. */
const PATIENCE_MS = 150

/** Sends some malformed bytes; resolves to the statuses of what came back. */
export async function sendMalformed(dice: Dice, url: string): Promise<{ bytes: string; statuses: number[] }> {
  const bytes = damaged(dice, dice.of(BASES))
  const { hostname, port } = new URL(url)
  const socket = net.connect(Number(port), hostname)
  socket.setTimeout(PATIENCE_MS, () => socket.destroy())
  const closed = new Promise((resolve) => socket.on('close', resolve))
  socket.on('error', () => {}) // a reset is an answer, too
  let answer = ''
  socket.setEncoding('latin1').on('data', (text) => {
    answer += text
  })
  socket.write(bytes, 'latin1')
  if (dice.once(4)) socket.end()
  await closed
  return {
    bytes,
    statuses: Array.from(answer.matchAll(/^HTTP\/1\.1 (\d+)/gm), ([, status]) => Number(status))
  }
}

/** Two in three with some bytes changed, doubled, or lost. */
function damaged(dice: Dice, bytes: string): string {
  const at = dice.below(bytes.length)
  switch (dice.below(6)) {
    case 0:
      return bytes.slice(0, at) + String.fromCharCode(dice.below(256)) + bytes.slice(at + 1)
    case 1:
      return bytes.slice(0, at) + bytes.slice(at + 1 + dice.below(8))
    case 2:
      return bytes.slice(0, at) + bytes.slice(Math.max(0, at - 8))
    case 3:
      return bytes.slice(0, at)
    default:
      return bytes
  }
}
