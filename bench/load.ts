import type { LoadCommand, LoadReply, LoadResult, LoadSpec } from './load/ask.ts'
import { Connection } from './load/connection.ts'
import { resetTally, resultOf, type Tally } from './load/tally.ts'

// The load generator, in a process of its own: does what it is told, one command after the other.
/** An answer that takes this much longer than the run is given up. */
const PATIENCE_MS = 60_000
/** After so many errors a run stops asking. */
const MAX_ERRORS = 200

const tally = {} as Tally
let spec: LoadSpec | undefined
let connections: Connection[] = []

/** Calls `begin` for every connection, spread over the ramp; resolves when all are through. */
async function onAll(begin: (connection: Connection, done: () => void) => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let left = connections.length
  const done = () => {
    left -= 1
    if (left === 0) resolve()
  }
  const spacing = (spec?.rampMs ?? 0) / connections.length
  for (const [index, connection] of connections.entries())
    setTimeout(() => begin(connection, done), index * spacing)
  await promise
}

async function run(durationMs: number): Promise<LoadResult> {
  resetTally(tally)
  const startedAt = performance.now()
  const endAt = startedAt + durationMs
  const late = setTimeout(() => {
    for (const connection of connections) connection.giveUp()
  }, durationMs + PATIENCE_MS)
  await onAll((connection, done) => {
    const next = () => {
      if (performance.now() >= endAt || tally.errors > MAX_ERRORS) done()
      else connection.ask(next)
    }
    next()
  })
  clearTimeout(late)
  return resultOf(tally, performance.now() - startedAt)
}

/** Resolves when every connection has the beginning of its answer. */
async function hold(): Promise<LoadResult> {
  resetTally(tally)
  const startedAt = performance.now()
  await onAll((connection, done) => {
    let begun = false
    const once = () => {
      if (!begun) done()
      begun = true
    }
    connection.onFirstByte = once
    connection.ask(once)
  })
  return resultOf(tally, performance.now() - startedAt)
}

function close(): void {
  for (const connection of connections) connection.close()
  connections = []
}

process.on('message', async (command: LoadCommand) => {
  const reply: LoadReply = { done: command.do }
  if (command.do === 'open') {
    close()
    const opened = command.spec
    spec = opened
    connections = Array.from({ length: opened.connections }, (_, at) => new Connection(opened, at, tally))
  } else if (command.do === 'run') reply.result = await run(command.durationMs)
  else if (command.do === 'hold') reply.result = await hold()
  else close()
  process.send?.(reply)
})
process.on('disconnect', () => process.exit())
process.send?.({ ready: true })
