import type { ServerResponse } from 'node:http'
import fp from 'fastify-plugin'

/** How much later than `timeoutMs` a client may be closed, as a part of it. */
const LATER = 1 / 4

/**
 * Closes the connection of a client that has taken nothing of its answer for `timeoutMs`, while bytes of it wait;
 * 0 = never. Who takes some now and then is served on, and an answer that has nothing to send yet is not meant.
 */
export default fp<{ timeoutMs: number }>(
  async (app, { timeoutMs }) => {
    if (timeoutMs === 0) return
    const open = new Map<ServerResponse, { taken: number; since: number }>()
    app.addHook('onRequest', (_request, { raw }, done) => {
      open.set(raw, { taken: 0, since: performance.now() })
      raw.once('close', () => open.delete(raw))
      done()
    })

    const timer = setInterval(() => {
      const now = performance.now()
      for (const [response, seen] of open) {
        const taken = takenOf(response)
        const waits = response.writableLength > 0
        if (!waits || taken !== seen.taken) open.set(response, { taken, since: now })
        else if (now - seen.since >= timeoutMs) response.destroy()
      }
    }, timeoutMs * LATER)
    timer.unref()
    app.addHook('onClose', async () => clearInterval(timer))
  },
  { name: 'slow-clients' }
)

/**
 * Bytes that the kernel has taken for this connection. A socket's own timeout will not do: what a client sends starts
 * it anew as well, and so a byte now and then would keep a connection that takes nothing.
 */
function takenOf({ socket }: ServerResponse): number {
  const { _handle: handle } = (socket ?? {}) as { _handle?: { bytesWritten: number; writeQueueSize: number } }
  return handle ? handle.bytesWritten - handle.writeQueueSize : 0
}
