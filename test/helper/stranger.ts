import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export interface Stranger {
  /** `127.0.0.1:<port>`. */
  host: string
  /** The heads of the requests that came although none should, and `connection` for each connection. */
  heard: string[]
}

/** A server that nobody has configured: whoever reaches it was led there. It would answer like an upstream. */
export async function startStranger(t: Test): Promise<Stranger> {
  const heard: string[] = []
  const server = http.createServer((req, res) => {
    heard.push(`${req.method} ${req.url} ${JSON.stringify(req.headers)}`)
    res.end('{"choices":[{"index":0,"message":{"content":"canary-stranger"},"finish_reason":"stop"}]}')
  })
  server.on('connection', () => heard.push('connection'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, heard }
}
