import type { ServerResponse } from 'node:http'

export interface ClientWriter {
  /** Writes now, after whatever was held. */
  forward(bytes: Buffer): void
  /** Keeps bytes back. Returns how many are kept back by now. */
  hold(bytes: Buffer): number
  /** Writes what was held. */
  release(): void
  /** Takes what was held, unwritten. */
  take(): Buffer
  /** What was held and what the client has not taken yet. */
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
  let held: Buffer[] = []
  let heldBytes = 0
  let slow = false

  function write(bytes: Buffer): void {
    if (client.destroyed || client.write(bytes) || slow) return
    slow = true
    onSlow()
    client.once('drain', () => {
      slow = false
      onDrained()
    })
  }

  function release(): void {
    for (const bytes of held) write(bytes)
    held = []
    heldBytes = 0
  }

  return {
    get bufferedBytes() {
      return heldBytes + (client.destroyed ? 0 : client.writableLength)
    },
    forward(bytes) {
      if (heldBytes > 0) release()
      write(bytes)
    },
    hold(bytes) {
      held.push(bytes)
      heldBytes += bytes.length
      return heldBytes
    },
    release,
    take() {
      const body = held.length === 1 ? (held[0] as Buffer) : Buffer.concat(held)
      held = []
      heldBytes = 0
      return body
    }
  }
}
