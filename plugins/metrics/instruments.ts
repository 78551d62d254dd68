import { Counter, Histogram, type Registry } from 'prom-client'
import type { BegunTurn } from '../../storage/contract.ts'
import { StoreError } from '../../storage/store-error.ts'
import type { WatchWrite } from '../../storage/watched-persistence.ts'

/** Refusals of a store that works. */
const REFUSALS = new Set(['PARENT_INVALID', 'CONVERSATION_BUSY', 'CONVERSATION_FULL', 'SESSION_FULL'])

/** What is measured as it happens; times in seconds. */
export function createInstruments(registry: Registry) {
  const registers = [registry]
  const persist = new Histogram({
    name: 'turnkeeper_persist_seconds',
    help: 'Time of the two writes of a turn, tries again included, by write and outcome.',
    labelNames: ['write', 'outcome'],
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30],
    registers
  })
  const added = new Histogram({
    name: 'turnkeeper_first_byte_added_seconds',
    help: 'How much later a client gets its first byte than from the upstream itself.',
    buckets: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers
  })
  const firstByte = new Histogram({
    name: 'turnkeeper_first_byte_seconds',
    help: "Time from the whole request to the first byte of a streamed answer, the upstream's time included.",
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers
  })
  const headers = new Histogram({
    name: 'turnkeeper_upstream_headers_seconds',
    help: "Time from the upstream call to the upstream's response headers.",
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
    registers
  })
  const errors = new Counter({
    name: 'turnkeeper_upstream_errors_total',
    help: 'Answers that the upstream spoiled, by the code that the client is told.',
    labelNames: ['kind'],
    registers
  })
  const matches = new Counter({
    name: 'turnkeeper_conversation_matches_total',
    help: 'Requests by how their conversation was found.',
    labelNames: ['match'],
    registers
  })

  const watchWrite: WatchWrite = async (write, work) => {
    const stop = persist.startTimer({ write })
    try {
      const result = await work()
      stop({ outcome: isWritten(result) ? 'written' : 'skipped' })
      return result
    } catch (err) {
      stop({ outcome: err instanceof StoreError && REFUSALS.has(err.code) ? 'skipped' : 'failed' })
      throw err
    }
  }

  return {
    watchWrite,
    matched: (match: string) => matches.inc({ match }),
    proxy: {
      firstByteAdded: (seconds: number) => added.observe(seconds),
      firstByte: (seconds: number) => firstByte.observe(seconds),
      upstreamHeaders: (seconds: number) => headers.observe(seconds),
      upstreamError: (kind: string) => errors.inc({ kind })
    }
  }
}

/** Not: the turn was known already, or is not there. */
function isWritten(result: unknown): boolean {
  return result === true || (result as BegunTurn | null)?.outcome === 'begun'
}
