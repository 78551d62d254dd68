import { GOALS, type Goal } from '../goals.ts'
import { DISTURBED_CORES, type Sample } from '../scenarios/scenario.ts'
import { type Spread, spread } from '../stats.ts'

export interface Judged {
  goal: Goal
  measured: Spread
  met: boolean
}

export const isDisturbed = ({ othersCores }: Sample): boolean => othersCores > DISTURBED_CORES

/** Of these, what others did not disturb; all of them when they disturbed every one. */
export function usable(samples: Sample[]): Sample[] {
  const calm = samples.filter((sample) => !isDisturbed(sample))
  return calm.length > 0 ? calm : samples
}

/** What is measured in each round of what `of` needs, and its spread. */
export function perRound(samples: Sample[], value: Goal['value']): Spread {
  const rounds = [...new Set(samples.map(({ round }) => round))]
  const inRound = (from: Sample[]) => (round: number) =>
    value((target) => from.find((sample) => sample.round === round && sample.target === target)?.figures)
  const calm = rounds.map(inRound(samples.filter((sample) => !isDisturbed(sample)))).filter(Number.isFinite)
  return spread(calm.length > 0 ? calm : rounds.map(inRound(samples)).filter(Number.isFinite))
}

/** The goals of the scenarios that were run. */
export function judge(samples: Sample[]): Judged[] {
  return GOALS.flatMap((goal) => {
    const own = samples.filter(({ scenario }) => scenario === goal.scenario)
    const measured = perRound(own, goal.value)
    if (measured.count === 0) return []
    const { atMost = Number.POSITIVE_INFINITY, atLeast = Number.NEGATIVE_INFINITY } = goal
    return [{ goal, measured, met: measured.median <= atMost && measured.median >= atLeast }]
  })
}

export const goalText = ({ atMost, atLeast }: Goal): string =>
  atMost === undefined ? `≥ ${atLeast}` : `≤ ${atMost}`
