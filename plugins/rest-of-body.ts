import type { IncomingMessage } from 'node:http'

const MAX_REST_BYTES = 67_108_864
const MAX_WAIT_MS = 5_000

/**
 * Reads what still comes of a request that is refused, and forgets it: closing the connection before would reset it,
 * and a client or load balancer that still sends would lose the answer (RFC 9112 section 9.6). Resolves when the
 * body has ended, or after 64 MiB or 5 s of it. Never rejects.
 */
export async function restOfBody(request: IncomingMessage): Promise<void> {
  if (request.complete || Number(request.headers['content-length']) > MAX_REST_BYTES) return
  const { promise: over, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, MAX_WAIT_MS)
  let bytes = 0
  const count = (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > MAX_REST_BYTES) resolve()
  }
  request.on('data', count).once('end', resolve).once('close', resolve).once('error', resolve).resume()
  await over
  clearTimeout(timer)
  request.off('data', count)
}
