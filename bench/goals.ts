import { LARGE, SMALL } from './scenarios/s7-reads.ts'

/** What one round measured of a target; undefined when it was not there. */
export type Round = (target: string) => Record<string, number> | undefined

export interface Goal {
  scenario: string
  figure: string
  atMost?: number
  atLeast?: number
  /** What a prototype reached, and what others do. */
  sketch: string
  best: string
  /** The figure in one round; NaN when something it needs is missing. */
  value(round: Round): number
}

const OURS = 'turnkeeper'

/** One figure of two targets, divided. */
const ratio =
  (figure: string, of: string, by: string) =>
  (round: Round): number =>
    (round(of)?.[figure] ?? Number.NaN) / (round(by)?.[figure] ?? Number.NaN)

const difference =
  (figure: string, of: string, by: string) =>
  (round: Round): number =>
    (round(of)?.[figure] ?? Number.NaN) - (round(by)?.[figure] ?? Number.NaN)

const own =
  (figure: string, of: string) =>
  (round: Round): number =>
    round(of)?.[figure] ?? Number.NaN

/** Of the same read at two sizes, the worst ratio. */
const worstRead = (database: string) => (round: Round) => {
  const small = round(`${database}, ${SMALL}`)
  const large = round(`${database}, ${LARGE}`)
  if (!small || !large) return Number.NaN
  return Math.max(
    ...Object.keys(small).map((read) => (large[read] ?? Number.NaN) / (small[read] ?? Number.NaN))
  )
}

/** The figures to reach. */
export const GOALS: Goal[] = [
  {
    scenario: 'S1',
    figure: 'CPU per request ÷ pipe',
    atMost: 1.15,
    sketch: '1.25',
    best: 'reply-from 1.60, llms 3.6, Portkey 6.8; older design 3.1',
    value: ratio('cpuUs', OURS, 'pipe')
  },
  {
    scenario: 'S2b',
    figure: 'burst: CPU per stream ÷ pipe',
    atMost: 0.8,
    sketch: '0.96',
    best: 'reply-from 1.15, llms 1.37, Portkey 5.3; older design 2.6',
    value: ratio('cpuUs', OURS, 'pipe')
  },
  {
    scenario: 'S3p',
    figure: '500 streams: CPU per stream ÷ pipe',
    atMost: 0.95,
    sketch: '0.95–1.09',
    best: 'reply-from 1.01, llms 1.42, Portkey 1.72; older design 1.3',
    value: ratio('cpuUs', OURS, 'pipe')
  },
  {
    scenario: 'S3p',
    figure: '500 streams: CPU per stream ÷ nginx',
    atMost: 1.75,
    sketch: '1.9–2.1',
    best: 'reply-from 1.87, llms 2.6, Portkey 3.2',
    value: ratio('cpuUs', OURS, 'nginx')
  },
  {
    scenario: 'S3t',
    figure: 'delay of a token ÷ direct, p50',
    atMost: 1.3,
    sketch: '1.2',
    best: 'reply-from 1.3, Portkey 3.1',
    value: ratio('tokenP50', OURS, 'direct')
  },
  {
    scenario: 'S3t',
    figure: 'delay of a token ÷ direct, p99',
    atMost: 4,
    sketch: '10',
    best: 'reply-from 7, Portkey 180',
    value: ratio('tokenP99', OURS, 'direct')
  },
  {
    scenario: 'S3p',
    figure: 'time added to the first byte, median, ms',
    atMost: 0.5,
    sketch: '0.75–2',
    best: 'reply-from 0.7, llms 15, Portkey 100',
    value: difference('firstByteP50', OURS, 'direct')
  },
  {
    scenario: 'S3w',
    figure: '2,000 streams: finished per second ÷ direct',
    atLeast: 0.97,
    sketch: '1.1',
    best: 'reply-from 1.08, Portkey 0.4 with drops',
    value: ratio('perSecond', OURS, 'direct')
  },
  {
    scenario: 'S3u',
    figure: '2,000 new connections: finished per second ÷ direct',
    atLeast: 0.97,
    sketch: '0.99',
    best: 'reply-from 0.86, Portkey 0.5 with drops',
    value: ratio('perSecond', OURS, 'direct')
  },
  {
    scenario: 'S5a',
    figure: 'memory per open stream ÷ pipe',
    atMost: 1,
    sketch: '0.97',
    best: 'reply-from 1.09, llms 2.2, Portkey 2.8',
    value: ratio('kbPerStream', OURS, 'pipe')
  },
  {
    scenario: 'S4c',
    figure: '200 KB history: CPU per request ÷ pipe',
    atMost: 1.4,
    sketch: '2.1',
    best: 'reply-from 1.17, aiwarp 7.2, Portkey 12.8',
    value: ratio('cpuUs', OURS, 'pipe')
  },
  {
    scenario: 'S6t',
    figure: 'SQLite at FULL: turns/s ÷ older design',
    atLeast: 60,
    sketch: '80',
    best: '–',
    value: ratio('turnsPerSecond', 'sqlite', 'older design, SQLite')
  },
  {
    scenario: 'S6t',
    figure: 'SQLite: main-thread CPU per turn, µs',
    atMost: 15,
    sketch: '14',
    best: '–',
    value: own('mainCpuUs', 'sqlite')
  },
  {
    scenario: 'S6t',
    figure: 'Postgres: turns/s ÷ bare pg with two named statements',
    atLeast: 0.8,
    sketch: '1.0',
    best: '–',
    value: ratio('turnsPerSecond', 'postgres', 'pg, two named statements')
  },
  {
    scenario: 'S6t',
    figure: 'Postgres: turns/s ÷ older design',
    atLeast: 5,
    sketch: '5.1',
    best: '–',
    value: ratio('turnsPerSecond', 'postgres', 'older design, Postgres')
  },
  {
    scenario: 'S6d',
    figure: 'SQLite: event-loop delay p99 over idle at 2,000 turns/s, ms',
    atMost: 0.5,
    sketch: '0.25',
    best: 'the older design stalls for seconds',
    value: own('delayOverIdle', 'sqlite')
  },
  {
    scenario: 'S7',
    figure: 'SQLite: slowest read at 1,000,000 ÷ at 1,000',
    atMost: 2.2,
    sketch: '1.3–2.1',
    best: 'timestamp cursor without index: 1,700',
    value: worstRead('sqlite')
  },
  {
    scenario: 'S7',
    figure: 'Postgres: slowest read at 1,000,000 ÷ at 1,000',
    atMost: 1.2,
    sketch: '1.1',
    best: 'OFFSET: 300',
    value: worstRead('postgres')
  },
  {
    scenario: 'S8',
    figure: 'filejson: a turn added at 1,000 ÷ at 10 turns',
    atMost: 2.5,
    sketch: '2.3',
    best: 'rewriting the file: 5.1',
    value: ratio('turnMs', '1000 turns', '10 turns')
  }
]
