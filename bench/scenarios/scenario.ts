import type { Target } from '../targets/target.ts'

/** What one target did in one round. */
export interface Sample {
  scenario: string
  target: string
  round: number
  figures: Record<string, number>
  /** How many cores others used meanwhile; above `DISTURBED_CORES` the figures are marked. */
  othersCores: number
  /** What went wrong first, if anything did. */
  error: string | null
}

export const DISTURBED_CORES = 0.6

export interface Column {
  figure: string
  title: string
}

export interface RunContext {
  rounds: number
  /** Short, and on less: to try the bench, not to believe it. */
  quick: boolean
  peers: Target[]
  /** Called when the next step begins. */
  step(label: string): void
  /** Something that the report has to say. */
  note(text: string): void
}

export interface Scenario {
  id: string
  title: string
  about: string
  columns: Column[]
  /** The figure that is also shown as a multiple of one target's. */
  ratio?: { figure: string; to: string }
  steps(context: RunContext): number
  run(context: RunContext): Promise<Sample[]>
}

/** The targets in an order that begins with another one each round. */
export function rotated<T>(list: T[], round: number): T[] {
  const at = round % Math.max(1, list.length)
  return [...list.slice(at), ...list.slice(0, at)]
}

/** Measures, and once more when others used too much of the machine meanwhile. */
export async function undisturbed<T extends { othersCores: number }>(measure: () => Promise<T>): Promise<T> {
  const first = await measure()
  if (first.othersCores <= DISTURBED_CORES) return first
  const second = await measure()
  return second.othersCores < first.othersCores ? second : first
}
