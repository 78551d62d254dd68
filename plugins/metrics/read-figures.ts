import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import { addCounter, addGauge } from './figures.ts'

/** The figures that other parts keep; see docs/operations.md for what each means. */
export function readFigures(app: FastifyInstance, registry: Registry): void {
  const turns = () => app.turnFigures
  addCounter(registry, {
    name: 'turnkeeper_turns_accepted_total',
    help: 'Turns begun.',
    read: () => turns().accepted
  })
  addCounter(registry, {
    name: 'turnkeeper_turns_ended_total',
    help: 'Turns ended, by status and error.',
    labelNames: ['status', 'error'],
    read: () =>
      [...turns().ended.values()].map(({ status, error, turns }) => [
        { status, error: error ?? 'none' },
        turns
      ])
  })
  addGauge(registry, {
    name: 'turnkeeper_turns_in_progress',
    help: 'Turns begun here that have not been ended.',
    read: () => turns().inProgress
  })
  addCounter(registry, {
    name: 'turnkeeper_turns_discarded_total',
    help: 'Turns that were deleted, or ended by another process, before their answer was stored.',
    read: () => turns().discarded
  })
  addCounter(registry, {
    name: 'turnkeeper_turns_recovered_total',
    help: 'Turns of dead processes that this one has ended.',
    read: () => turns().recovered
  })
  addCounter(registry, {
    name: 'turnkeeper_beats_failed_total',
    help: 'Times that the look at the other processes failed.',
    read: () => app.recovery.failures
  })
  readStore(app, registry)
  readRetention(app, registry)
  addGauge(registry, {
    name: 'turnkeeper_open_streams',
    help: 'Exchanges with the upstream under way.',
    read: () => app.exchanges.open
  })
  addGauge(registry, {
    name: 'turnkeeper_client_buffered_bytes',
    help: 'Bytes of answers that wait here for their clients.',
    read: () => app.exchanges.bufferedBytes
  })
}

function readStore(app: FastifyInstance, registry: Registry): void {
  addCounter(registry, {
    name: 'turnkeeper_store_transactions_total',
    help: 'Write transactions.',
    read: () => app.store.counters.transactions
  })
  addCounter(registry, {
    name: 'turnkeeper_store_writes_total',
    help: 'Writes; several may share a transaction.',
    read: () => app.store.counters.writes
  })
  addGauge(registry, {
    name: 'turnkeeper_store_connections',
    help: 'Connections to the database, by state; Postgres only.',
    labelNames: ['state'],
    read: () => {
      const { connections } = app.store
      if (!connections) return []
      const { open, idle } = connections
      return [
        [{ state: 'idle' }, idle],
        [{ state: 'busy' }, open - idle]
      ]
    }
  })
  addGauge(registry, {
    name: 'turnkeeper_store_connections_waiting',
    help: 'Requests that wait for a connection; Postgres only.',
    read: () => app.store.connections?.waiting ?? []
  })
}

function readRetention(app: FastifyInstance, registry: Registry): void {
  const figures = () => app.retention.counters
  const texts = {
    conversations_deleted: ['Conversations deleted by age.', () => figures().conversations],
    turns_deleted: ['Turns deleted with them.', () => figures().turns],
    runs: ['Runs begun.', () => figures().runs],
    failures: ['Runs that failed.', () => figures().failures]
  } as const
  for (const [name, [help, read]] of Object.entries(texts)) {
    addCounter(registry, { name: `turnkeeper_retention_${name}_total`, help, read })
  }
  addGauge(registry, {
    name: 'turnkeeper_retention_last_success_timestamp_seconds',
    help: 'When the last whole run ended, in Unix seconds; 0 = never.',
    read: () => figures().lastSuccessAt / 1000
  })
}
