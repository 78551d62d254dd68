/** A request that the load generator makes again and again. */
export interface Ask {
  path: string
  headers: Record<string, string>
  body: object
  /** What stands near the end of every whole answer. */
  endMark: string
  /** How many events a stream has; null = not counted. */
  events: number | null
}

export interface LoadSpec extends Ask {
  url: string
  connections: number
  /** More headers, by connection. */
  headersOf?: Record<string, string>[]
  /** Over how long the connections begin. */
  rampMs: number
  /** Deltas say when they were sent. */
  stamped: boolean
  /** Every request on a connection of its own. */
  fresh: boolean
}

export interface LoadResult {
  count: number
  errors: number
  firstError: string | null
  elapsedMs: number
  firstByteMs: { p50: number; p99: number }
  tokenMs: { p50: number; p99: number }
}

export type LoadCommand =
  | { do: 'open'; spec: LoadSpec }
  | { do: 'run'; durationMs: number }
  /** Every connection asks once, and the answers are left running. */
  | { do: 'hold' }
  | { do: 'close' }

export type LoadReply = { done: LoadCommand['do']; result?: LoadResult }
