import { once } from 'node:events'
import net from 'node:net'
import type { Test } from 'tap'

export interface RawClient {
  socket: net.Socket
  /** All that has come, head included, as it came over the wire. */
  received(): string
  /** Waits until `text` has come; rejects when the connection ends without it. */
  until(text: string): Promise<void>
  /** Waits until the connection is gone. */
  closed: Promise<void>
}

/** Speaks HTTP on a bare socket, so that a test decides what is sent, read and closed, and when. */
export async function rawConnect(t: Test, url: string): Promise<RawClient> {
  const { hostname, port } = new URL(url)
  const socket = net.connect(Number(port), hostname)
  t.teardown(() => socket.destroy())
  const chunks: Buffer[] = []
  socket.on('data', (chunk) => chunks.push(chunk))
  socket.on('error', () => {}) // a reset is one of the ways to be closed
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()))
  await once(socket, 'connect')
  const received = (): string => Buffer.concat(chunks).toString('utf8')

  const until: RawClient['until'] = (text) =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (!received().includes(text)) return
        socket.off('data', look)
        resolve()
      }
      socket.on('data', look)
      socket.on('close', () => reject(new Error(`closed without ${text}: ${received()}`)))
      look()
    })

  return { socket, received, until, closed }
}

/** The text of a chat request. */
export function chatRequest(body: object = {}, headers: Record<string, string> = {}): string {
  const text = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...body })
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return (
    `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n` +
    `content-length: ${Buffer.byteLength(text)}\r\n${lines.join('')}\r\n${text}`
  )
}

/** Sends a chat on a socket of its own. */
export async function rawChat(
  t: Test,
  url: string,
  body?: object,
  headers?: Record<string, string>
): Promise<RawClient> {
  const client = await rawConnect(t, url)
  client.socket.write(chatRequest(body, headers))
  return client
}
