import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import type { Test } from 'tap'

export interface PostgresProxy {
  /** The database's URL by way of the proxy. */
  url: string
  /** From now on, cuts the first connection that sends `text`: the server gets it, its reply is lost. */
  loseReplyTo(text: string): void
  /** Whether a reply was lost since then. */
  lost: boolean
}

/** A wire between a store and its server that breaks where the test says. */
export async function startPostgresProxy(t: Test, databaseUrl: string): Promise<PostgresProxy> {
  const target = new URL(databaseUrl)
  let trigger: string | undefined
  const sockets = new Set<net.Socket>()
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(target.port), target.hostname)
    let cut = false
    client.on('data', (chunk) => {
      if (trigger !== undefined && chunk.includes(trigger)) {
        trigger = undefined
        cut = true
      }
      upstream.write(chunk)
    })
    upstream.on('data', (chunk) => {
      if (!cut) return void client.write(chunk)
      proxy.lost = true
      client.destroy()
    })
    for (const [one, other] of [
      [client, upstream],
      [upstream, client]
    ] as const) {
      sockets.add(one)
      one.on('error', () => {}) // 'close' follows
      one.on('close', () => other.destroy())
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const url = new URL(databaseUrl)
  url.port = String((server.address() as AddressInfo).port)
  const proxy: PostgresProxy = {
    url: url.href,
    lost: false,
    loseReplyTo(text) {
      trigger = text
      proxy.lost = false
    }
  }
  return proxy
}
