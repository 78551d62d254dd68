import type { Failure } from './endings.ts'

/** Where the figures of all exchanges go; times in seconds. */
export interface ProxyFigures {
  /** How much later the client gets its first byte than it would from the upstream itself. */
  firstByteAdded(seconds: number): void
  /** From the whole request to the first byte of a streamed answer. */
  firstByte(seconds: number): void
  /** From the call to the upstream's response headers. */
  upstreamHeaders(seconds: number): void
  /** An answer that the upstream spoiled; `kind` is the code that the client is told. */
  upstreamError(kind: string): void
}

/** How an exchange went, for its log line. */
export interface Course {
  firstByteMs?: number
  ended?: string
  error?: string
}

/** What one exchange tells of itself. */
export interface Meter {
  /** The upstream has been called. */
  dispatched(): void
  /** The upstream's response headers are there. */
  answered(): void
  /** Something has come that our next word to the client follows from. */
  arrived(): void
  /** The client was sent something: a piece of a stream that goes on, or its last words. */
  sent(what: 'piece' | 'end'): void
  /** The exchange ends; null when the answer is whole. */
  ended(failure: Failure | null): void
}

/** Not the upstream's doing. */
const OWN_ENDINGS = new Set(['client_disconnect', 'server_shutdown'])

/** `receivedAt` is when the whole request was here, on the clock of `performance.now()`. */
export function createMeter(figures: ProxyFigures, receivedAt: number, course: Course): Meter {
  const now = () => performance.now()
  let dispatchedAt = 0
  let arrivedAt = 0
  let first = true

  return {
    dispatched() {
      dispatchedAt = now()
    },
    answered() {
      figures.upstreamHeaders((now() - dispatchedAt) / 1000)
    },
    arrived() {
      if (first) arrivedAt = now()
    },
    sent(what) {
      if (!first) return
      first = false
      const sentAt = now()
      figures.firstByteAdded((dispatchedAt - receivedAt + sentAt - arrivedAt) / 1000)
      if (what === 'piece') figures.firstByte((sentAt - receivedAt) / 1000)
      course.firstByteMs = Math.round(sentAt - receivedAt)
    },
    ended(failure) {
      course.ended = failure?.status ?? 'completed'
      if (failure === null) return
      course.error = failure.code
      if (!OWN_ENDINGS.has(failure.code)) figures.upstreamError(failure.code)
    }
  }
}
