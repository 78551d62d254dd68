import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { startApp } from './helper/app.ts'

/** What a client reads that sends `parts` one by one before it reads anything. */
async function answerAfter(url: string, head: string, parts: string[]): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname).pause()
  const failed = once(socket, 'error').then(([err]) => Promise.reject(err))
  failed.catch(() => {})
  socket.write(
    `POST /v1/chat/completions HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\n${head}\r\n\r\n`
  )
  for (const part of parts) if (!socket.write(part)) await Promise.race([once(socket, 'drain'), failed])
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  socket.resume()
  await Promise.race([once(socket, 'end'), failed])
  socket.destroy()
  return text
}

t.test('who sends on while it is refused still reads that the body is too large', async (t) => {
  const { url } = await startApp(t, { MAX_REQUEST_BYTES: '1000000' })
  const mebibyte = 'x'.repeat(1_048_576)
  const parts = Array.from({ length: 30 }, () => mebibyte)

  const counted = await answerAfter(url, `content-length: ${30 * mebibyte.length}`, parts)
  t.match(counted, /^HTTP\/1\.1 413 /)
  t.match(counted, '"code":"request_too_large"')

  const chunked = [...parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`), '0\r\n\r\n']
  t.match(await answerAfter(url, 'transfer-encoding: chunked', chunked), /^HTTP\/1\.1 413 /)
})
