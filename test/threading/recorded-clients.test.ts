import t, { type Test } from 'tap'
import {
  fileAll,
  isNamed,
  type Placed,
  type Recorded,
  recordedClients,
  saidToTheEnd,
  unnamed
} from '../helper/recorded-clients.ts'

/** Where the requests of a client belong that are not simply its chats', by their lines in the fixture. */
interface Wanted {
  /** Kinds that are not recorded. */
  skipped: string[]
  /** Kinds of which each request has a conversation of its own. */
  alone: string[]
  /** Requests with which the rest of their chat is another conversation. */
  parted: string[]
  /** Requests that are found by their answers alone. */
  anchored: string[]
  /** Requests in whose place others have come. */
  replaced: string[]
}

const WANTED: Record<string, Wanted> = {
  cline: {
    skipped: [],
    // The compaction is a prompt in which the chat is quoted.
    alone: ['subagent', 'compaction'],
    parted: [],
    // The first question after the compaction.
    anchored: ['cline:12'],
    // Undone.
    replaced: ['cline:18']
  },
  codex: {
    skipped: ['title'],
    alone: ['subagent'],
    // After the compaction there is no answer in the request.
    parted: ['codex:11'],
    anchored: [],
    // Edited.
    replaced: ['codex:7']
  },
  continue: {
    skipped: ['title'],
    alone: [],
    parted: [],
    // The first question after the compaction, by the summary.
    anchored: ['continue:11'],
    // Edited.
    replaced: ['continue:7']
  },
  kilo: {
    skipped: ['title'],
    alone: ['subagent', 'compaction'],
    parted: [],
    // The first question after the compaction.
    anchored: ['kilo:17'],
    // Undone.
    replaced: ['kilo:7']
  },
  opencode: {
    skipped: ['title'],
    alone: ['subagent'],
    // The prompt for the compaction, in which the chat is quoted; what follows has nothing of the chat but the summary.
    parted: ['opencode:13'],
    anchored: ['opencode:14'],
    // Undone.
    replaced: ['opencode:7']
  },
  qwen: {
    skipped: ['memory-extraction', 'suggestion', 'tool-classifier', 'memory-dream'],
    alone: ['subagent'],
    // After the compaction there is no answer in the request that the model gave.
    parted: ['qwen:19'],
    // In another process the client puts something else around the first question.
    anchored: ['qwen:29'],
    // Rewound; a prompt for the compaction that was made once more, in other words.
    replaced: ['qwen:8', 'qwen:17']
  }
}

/** The same, for clients that name their chats in a header. */
const NAMED: Record<string, Wanted> = {
  codex: { ...WANTED.codex, parted: [], anchored: [] } as Wanted,
  // The question after the compaction follows the answer before it.
  kilo: { ...WANTED.kilo, alone: ['subagent'], anchored: [], replaced: ['kilo:7', 'kilo:16'] } as Wanted,
  opencode: { ...WANTED.opencode, parted: [], anchored: [] } as Wanted
}

const clients = await recordedClients()
t.same([...clients.keys()], Object.keys(WANTED))

/** Codex wants nothing stored; nothing would be. The API's own default is that all is. */
function storing(recorded: Recorded): Recorded {
  const { store: _, ...request } = recorded.request
  return recorded.client === 'codex' ? { ...recorded, request } : recorded
}

/** The names of the requests that belong together, of which each has `keyOf` in common. */
function groups(placed: Placed[], keyOf: (one: Placed) => string | null): string[][] {
  const recorded = placed.filter((one) => keyOf(one) !== null)
  return [...Map.groupBy(recorded, keyOf).values()].map((group) => group.map(nameOf))
}

function nameOf({ recorded }: Placed): string {
  return recorded.name
}

/** What the conversation of each request is, in words; null where it has none. */
function conversations(placed: Placed[], wanted: (client: string) => Wanted): (one: Placed) => string | null {
  const parts = new Map<string, string>()
  const names = new Map<Placed, string | null>()
  for (const one of placed) {
    const { client, chat, kind, name } = one.recorded
    const { skipped, alone, parted } = wanted(client)
    const whole = `${client} ${chat}`
    if (parted.includes(name)) parts.set(whole, name)
    const own = alone.includes(kind) ? name : `${whole} ${parts.get(whole) ?? ''}`
    names.set(one, skipped.includes(kind) ? null : own)
  }
  return (one) => names.get(one) ?? null
}

/** Asserts that each request is where it belongs, so that no conversation has anything of two chats. */
function check(t: Test, placed: Placed[], wanted: (client: string) => Wanted): void {
  const all = [...new Set(placed.map(({ recorded }) => recorded.client))].map(wanted)
  const named = (of: (one: Wanted) => string[]): string[] => all.flatMap(of).sort()
  const where = (of: (one: Placed) => boolean): string[] => placed.filter(of).map(nameOf).sort()
  t.same([...new Set(placed.map(({ status }) => status))], [200])
  t.same(
    groups(placed, ({ conversationId }) => conversationId),
    groups(placed, conversations(placed, wanted)),
    'each conversation is one chat'
  )
  const skipped = placed.filter(({ recorded }) => wanted(recorded.client).skipped.includes(recorded.kind))
  t.same(
    where(({ match }) => match === 'skipped'),
    skipped.map(nameOf).sort()
  )
  t.same(
    where(({ match }) => match === 'anchor'),
    named(({ anchored }) => anchored)
  )
  t.same(
    where(({ isReplaced }) => isReplaced),
    named(({ replaced }) => replaced),
    'what was taken back is replaced, and nothing else'
  )
}

const inferred = (client: string): Wanted => WANTED[client] as Wanted

/** Questions that these clients send again without what they had of the answer. A whole answer they have taken back. */
const FORGOTTEN: Record<string, string[]> = {
  cline: ['cline:5'],
  codex: ['codex:6'],
  continue: ['continue:6']
}

function withWholeAnswers(client: string): Wanted {
  const wanted = inferred(client)
  return { ...wanted, replaced: [...wanted.replaced, ...(FORGOTTEN[client] ?? [])] }
}

for (const [client, recorded] of clients) {
  const asked = recorded.map(storing)

  t.test(`${client}: its chats, by what they say`, async (t) => {
    check(t, await fileAll(t, asked.map(unnamed)), inferred)
  })

  t.test(`${client}: the same where a stopped answer was said to its end`, async (t) => {
    const said = asked.map(unnamed).map(saidToTheEnd)
    t.not(said.filter(({ aborted }) => aborted).length, 0)
    check(t, await fileAll(t, said), withWholeAnswers)
  })

  if (!NAMED[client]) {
    t.notOk(asked.some(isNamed), `${client} names its chats in no header`)
    continue
  }
  t.test(`${client}: its chats, by the name it has for them`, async (t) => {
    t.ok(asked.every(isNamed))
    const placed = await fileAll(t, asked)
    check(t, placed, () => NAMED[client] as Wanted)
    t.same([...new Set(placed.map(({ match }) => match))].toSorted(), matchesOf(NAMED[client] as Wanted))
  })
}

function matchesOf({ skipped }: Wanted): string[] {
  return skipped.length > 0 ? ['external', 'skipped'] : ['external']
}

t.test('the chats of all clients at a time, in one session', async (t) => {
  const queues = [...clients.values()].map((recorded) => recorded.map(storing).map(unnamed))
  const longest = Math.max(...queues.map(({ length }) => length))
  const turns = Array.from({ length: longest }, (_, index) => queues.flatMap((queue) => queue[index] ?? []))
  check(t, await fileAll(t, turns.flat()), inferred)
})

t.test('codex: as it asks, nothing is recorded', async (t) => {
  const recorded = clients.get('codex') ?? []
  t.ok(recorded.every(({ request }) => request.store === false))
  const placed = await fileAll(t, recorded)
  t.ok(placed.every(({ status, conversationId }) => status === 200 && conversationId === null))
})
