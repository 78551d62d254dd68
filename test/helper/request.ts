import { once } from 'node:events'
import net from 'node:net'
import type { Test } from 'tap'

export interface Reply {
  status: number
  headers: Headers
  text: string
  /** The body as JSON; undefined when it is none. */
  json: ReturnType<typeof JSON.parse>
}

export interface RequestOptions {
  method?: string
  headers?: Record<string, string>
  /** A string or bytes are sent as they are, anything else as JSON. */
  body?: unknown
}

/** One HTTP call over a real socket; the method follows from whether there is a body. */
export async function request(url: string, options: RequestOptions = {}): Promise<Reply> {
  const { body } = options
  const raw = typeof body === 'string' || body instanceof Uint8Array
  const res = await fetch(url, {
    method: options.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...options.headers },
    ...(body !== undefined && { body: raw ? (body as string) : JSON.stringify(body) })
  })
  const text = await res.text()
  return { status: res.status, headers: res.headers, text, json: parse(text) }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Holds `reply` to be an error in OpenAI's shape: all four keys, no others, and nothing of our insides. */
export function isErrorReply(t: Test, reply: Reply, status: number, expected: object, name: string): void {
  const type = status < 500 ? 'invalid_request_error' : 'server_error'
  t.equal(reply.status, status, `${name}: status`)
  t.match(reply.json, { error: { message: /\S/, type, ...expected } }, `${name}: error`)
  t.same(Object.keys(reply.json ?? {}), ['error'], `${name}: nothing beside the error`)
  t.same(Object.keys(reply.json?.error ?? {}).sort(), ['code', 'message', 'param', 'type'], `${name}: keys`)
  t.notMatch(reply.text, /\bat .+[:(]\d+|\.ts:|node_modules|\/plugins\//, `${name}: no stack trace`)
}

/** Writes `bytes` to the server as they are and returns all that it answers until it closes. */
export async function sendRaw(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = net.connect(Number(port), hostname)
  socket.setTimeout(5_000, () => socket.destroy(new Error('the server did not answer')))
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk
  })
  const closed = once(socket, 'close')
  socket.write(bytes, 'latin1')
  await closed
  return answer
}
