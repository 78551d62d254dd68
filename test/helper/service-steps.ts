import fc from 'fast-check'
import { type Answer, answer, words } from './service-upstream.ts'

/** A question to the model, in one of the ways in which clients ask. */
export interface Ask {
  step: 'ask'
  session: number
  route: 'chat' | 'response'
  /** `filed`: the client keeps its own history. `after`: behind one response. */
  target: 'new' | 'filed' | 'continued' | 'after'
  pick: number
  /** Which turn it goes back to; null = none. */
  parent: number | null
  system: string | null
  words: string
  /** How many of the calls that wait it brings the results of. */
  results: number
  /** How many messages of the history it sends again. */
  resend: number
  /** The client tries again as long as there are answers left and none was whole. */
  answers: Answer[]
  stream: boolean
  model: string
  tag: string
}

export type Step =
  | Ask
  | {
      step: 'ask with key'
      session: number
      route: 'chat' | 'response'
      key: number
      variant: number
      answer: Answer
    }
  | { step: 'add'; isNew: boolean; session: number; pick: number; items: string[][]; tag: string }
  | {
      step: 'delete item' | 'delete completion' | 'delete response' | 'delete conversation' | 'update'
      session: number
      pick: number
      other: number
      tag: string
    }

const session = fc.constantFrom(0, 0, 0, 1)
const pick = fc.nat(7)
const route = fc.constantFrom<('chat' | 'response')[]>('chat', 'response')
export const tag = fc.constantFrom('', 'red', 'blue')

const ask: fc.Arbitrary<Step> = fc.record({
  step: fc.constant('ask'),
  session,
  route,
  target: fc.constantFrom<Ask['target'][]>('new', 'filed', 'continued', 'continued', 'after'),
  pick: fc.nat(2),
  parent: fc.option(pick, { freq: 2, nil: null }),
  system: fc.option(words, { freq: 1, nil: null }),
  words,
  results: fc.nat(2),
  resend: fc.nat(3),
  answers: fc.array(answer, { minLength: 1, maxLength: 2 }),
  stream: fc.boolean(),
  model: fc.constantFrom('m1', 'm2'),
  tag
})
const keyed: fc.Arbitrary<Step> = fc.record({
  step: fc.constant('ask with key'),
  session,
  route,
  key: fc.nat(1),
  variant: fc.nat(1),
  answer
})
const added = fc.oneof(
  words.map((text) => [`user: ${text}`]),
  words.map((text) => [`assistant: ${text}`]),
  words.map((text) => [`system: ${text}`]),
  words.map((text) => ['call c1 {}', `result c1 ${text}`])
)
const adding: fc.Arbitrary<Step> = fc.record({
  step: fc.constant('add'),
  isNew: fc.boolean(),
  session,
  pick,
  items: fc.array(added, { minLength: 1, maxLength: 3 }),
  tag
})
const changing: fc.Arbitrary<Step> = fc.record({
  step: fc.constantFrom(
    'delete item' as const,
    'delete item',
    'delete completion',
    'delete response',
    'delete conversation',
    'update'
  ),
  session,
  pick,
  other: pick,
  tag
})

/** What clients do, one after the other. */
export const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: ask },
    { weight: 1, arbitrary: keyed },
    { weight: 1, arbitrary: adding },
    { weight: 2, arbitrary: changing }
  ),
  { minLength: 1, maxLength: 14, size: 'max' }
)
