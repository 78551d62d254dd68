import t, { type Test } from 'tap'
import { UNDECIDABLE } from './behaviours/identical.ts'
import { behaviours } from './behaviours/index.ts'
import { type Plan, simulate } from './simulation/run.ts'
import { type Judged, judge, scoreOf, sharedByPersons, sharedByStrangers } from './simulation/score.ts'

/** Another one makes other chats of the same kinds. */
const SEED = process.env.SEED ?? 'turnkeeper'
const PERSONS = 200
/** With two, the three runs are some eight thousand requests. */
const CHATS_EACH = Number(process.env.CHATS_EACH ?? 2)

/** Of each behaviour so many must be right: of its chats, of about five requests each, one in two without a fault. */
const FLOOR = 0.9
/** Where nobody is named, what follows the same greeting as another's is anybody's: one request in each chat. */
const FLOORS_UNNAMED: Record<string, number> = { 'short openers': 0.7, 'common questions': 0.7 }

interface Measure extends Partial<Plan> {
  rightAtLeast: number
  floors?: Record<string, number>
}

async function measure(t: Test, { rightAtLeast, floors = {}, ...plan }: Measure): Promise<void> {
  const who = { seed: SEED, persons: PERSONS, chatsEach: CHATS_EACH }
  const { exchanges, filing } = await simulate(t, { ...who, ...plan })
  const judged = judge(exchanges, filing)
  tell(t, judged)

  t.same(sharedByStrangers(exchanges), [], 'no conversation holds two chats without a common answer')
  if (plan.fieldsOf || plan.headersOf)
    t.same(sharedByPersons(exchanges), [], "each conversation is one person's")
  const failed = exchanges.filter(({ filed }) => filed.status !== 200)
  t.ok(
    failed.every(({ filed }) => filed.status === 500 && filed.conversationId),
    'answered, but where the model failed'
  )

  const decidable = judged.filter(({ exchange }) => exchange.chat.behaviour !== UNDECIDABLE)
  const all = scoreOf(decidable)
  t.ok(all.share >= rightAtLeast, `${percent(all.share)} are filed right`)
  t.equal(all.superseded, all.replaced, 'what was asked again is replaced')
  t.equal(all.lost, 0, 'and nothing else')
  const others = scoreOf(judged.filter(({ exchange }) => exchange.chat.behaviour === UNDECIDABLE))
  t.equal(others.joined, others.alike, 'what nobody can tell apart goes where the same was said')
  for (const [name, { share }] of scoresOf(decidable))
    if (name !== UNDECIDABLE) t.ok(share >= (floors[name] ?? FLOOR), `${name}: ${percent(share)}`)
}

function scoresOf(judged: Judged[]) {
  return Object.keys(behaviours).map((name) => {
    const own = judged.filter(({ exchange }) => exchange.chat.behaviour === name)
    return [name, scoreOf(own)] as const
  })
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

/** Says what was measured, a line for each behaviour. */
function tell(t: Test, judged: Judged[]): void {
  t.comment(`SEED=${SEED}`)
  const line = (name: string, cells: (string | number)[]) =>
    name.padEnd(26) + cells.map((cell) => String(cell).padStart(10)).join('')
  const heads = ['requests', 'right', 'split', 'joined', 'alike', 'misplaced', 'replaced', 'lost']
  const scores = [...scoresOf(judged), ['all', scoreOf(judged)] as const]
  const lines = scores.map(([name, score]) => {
    const { requests, share, split, joined, alike, misplaced, replaced, superseded, lost } = score
    const replacing = `${superseded}/${replaced}`
    return line(name, [requests, percent(share), split, joined, alike, misplaced, replacing, lost])
  })
  t.comment([line('', heads), ...lines].join('\n'))
}

t.test('one session in which nobody is named', (t) =>
  measure(t, { rightAtLeast: 0.97, floors: FLOORS_UNNAMED })
)

t.test('one session in which each request names its end user', (t) => {
  const fieldsOf = (name: string, index: number) =>
    index % 3 === 0 ? { safety_identifier: name } : { user: name }
  return measure(t, { rightAtLeast: 0.99, fieldsOf })
})

t.test('a session for each person', (t) => {
  const headersOf = (name: string) => ({ 'x-session-id': name })
  return measure(t, { rightAtLeast: 0.99, settings: { AUTH: 'header' }, headersOf })
})
