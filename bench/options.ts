import { parseArgs } from 'node:util'

export interface BenchOptions {
  scenarios: string[]
  rounds: number
  quick: boolean
  peers: boolean
  list: boolean
  write: boolean
  fetchPeers: boolean
  help: boolean
}

export const USAGE = `npm run bench -- [options]

  --scenario S1,S3t   only these; S3 is all that begin so
  --rounds N          how often everything is measured (3, with --quick 1)
  --quick             short runs, to try the bench
  --peers             the other gateways too
  --fetch-peers       installs them under bench/peers, and does nothing else
  --write             writes the results into docs/performance.md
  --list              names the scenarios
`

/** Throws for arguments that it does not know. */
export function readOptions(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      scenario: { type: 'string', default: '' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      'fetch-peers': { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  const { scenario, quick, peers, write, list, help } = values
  const rounds = Number(values.rounds ?? (quick ? 1 : 3))
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 50) throw new Error('--rounds must be 1 to 50')
  const scenarios = scenario.split(',').filter((name) => name !== '')
  return { scenarios, rounds, quick, peers, write, list, help, fetchPeers: values['fetch-peers'] }
}
