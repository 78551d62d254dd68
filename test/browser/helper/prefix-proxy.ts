import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

/** A reverse proxy that shows the service under `prefix`, and nothing else; closes with the test. Gives its origin. */
export async function startPrefixProxy(t: Test, prefix: string, target: string): Promise<string> {
  const server = http.createServer((req, res) => {
    const url = req.url ?? ''
    if (!url.startsWith(prefix)) return void res.writeHead(404).end()
    const { method, headers } = req
    const forward = http.request(`${target}/${url.slice(prefix.length)}`, {
      method: method ?? 'GET',
      headers
    })
    forward.on('response', (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(res)
    })
    forward.on('error', () => res.destroy())
    res.on('close', () => forward.destroy())
    req.pipe(forward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
