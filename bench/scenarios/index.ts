import { smallJson } from './s1-small-json.ts'
import { streamBurst, streamChunks } from './s2-fast-streams.ts'
import { crowdKept, crowdNew, pacedStreams, tokenDelay } from './s3-paced-streams.ts'
import { longHistory, longQuestion } from './s4-long-history.ts'
import { openStreams2000, openStreams5000 } from './s5-open-streams.ts'
import { drivers, offeredTurns } from './s6-drivers.ts'
import { reads } from './s7-reads.ts'
import { filejsonTurns } from './s8-filejson.ts'
import type { Scenario } from './scenario.ts'

export const SCENARIOS: Scenario[] = [
  smallJson,
  streamChunks,
  streamBurst,
  pacedStreams,
  tokenDelay,
  crowdKept,
  crowdNew,
  longHistory,
  longQuestion,
  openStreams2000,
  openStreams5000,
  drivers,
  offeredTurns,
  reads,
  filejsonTurns
]

/** `S3` is all that begin so, `S3t` one alone. Throws for a name that is none. */
export function chosenScenarios(names: string[]): Scenario[] {
  for (const name of names)
    if (!SCENARIOS.some(({ id }) => matches(id, name))) throw new Error(`no scenario is called ${name}`)
  return SCENARIOS.filter(({ id }) => names.length === 0 || names.some((name) => matches(id, name)))
}

const matches = (id: string, name: string): boolean => id === name || id.replace(/[a-z]$/, '') === name
