import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import '../inside.ts'

/** Listens with `listener` and tells the bench where. */
export function listen(listener: RequestListener): Server {
  const server = createServer({ requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 }, listener)
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => tell(server))
  return server
}

export function tell(server: Server): void {
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}

process.on('disconnect', () => process.exit())
