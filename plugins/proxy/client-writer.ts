import type { ServerResponse } from 'node:http'

export interface ClientWriter {
  /** Writes soon, after whatever was held, in one piece with what else comes before the event loop goes on. */
  forward(bytes: Buffer): void
  /** Keeps bytes back. Returns how many are kept back by now. */
  hold(bytes: Buffer): number
  /** Writes all that waits, what was held too: nothing is to come but what the caller writes to the client itself. */
  release(): void
  /** Writes what waits, but for what is held. */
  flush(): void
  /** Takes what was held, unwritten. */
  take(): Buffer
  /** What waits here, and what the client has not taken yet. */
  readonly bufferedBytes: number
}

/**
 * Writes to a client in order, some bytes later than others. `onSlow` is called when the client does not
 * keep up and `onDrained` when it has caught up; a client that is gone takes everything at once.
 */
export function createClientWriter(
  client: ServerResponse,
  onSlow: () => void,
  onDrained: () => void
): ClientWriter {
  /** One read of the upstream brings many chunks, and to write each by itself costs more than to read it. */
  const due = createPile()
  const held = createPile()
  let flushing = false
  let slow = false

  function flush(): void {
    flushing = false
    if (due.size === 0) return
    const bytes = due.take()
    if (client.destroyed || client.write(bytes) || slow) return
    slow = true
    onSlow()
    client.once('drain', () => {
      slow = false
      onDrained()
    })
  }

  function forward(bytes: Buffer): void {
    if (held.size > 0) due.add(held.take())
    due.add(bytes)
    if (flushing) return
    flushing = true
    process.nextTick(flush)
  }

  return {
    get bufferedBytes() {
      return due.size + held.size + (client.destroyed ? 0 : client.writableLength)
    },
    forward,
    hold(bytes) {
      held.add(bytes)
      return held.size
    },
    release() {
      if (held.size > 0) due.add(held.take())
      flush()
    },
    flush,
    take: held.take
  }
}

/** Bytes that are put together once, when they are taken. */
function createPile() {
  let pieces: Buffer[] = []
  let size = 0
  return {
    get size() {
      return size
    },
    add(bytes: Buffer): void {
      pieces.push(bytes)
      size += bytes.length
    },
    take(): Buffer {
      const all = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, size)
      pieces = []
      size = 0
      return all
    }
  }
}
