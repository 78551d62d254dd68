import { createHash } from 'node:crypto'
import { copyFileSync, readFileSync } from 'node:fs'
import path from 'node:path'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import type { Store } from '../../storage/contract.ts'
import { isId } from '../../storage/ids.ts'
import { type ImportOptions, importDatabase } from '../../storage/transfer/import.ts'
import type { ImportReport } from '../../storage/transfer/import-report.ts'
import { openOldDatabase } from '../../storage/transfer/old-database.ts'
import { CREATED_AT, createOldDatabase, type OldRow, type OldRows } from '../fixtures/old-database.ts'
import { tempFolder } from '../helper/app.ts'
import { startDatabase } from '../helper/postgres.ts'
import { contentOf, filejsonUrl, openTestStore, sqliteUrl } from '../helper/transfer.ts'
import { newTurn } from '../storage/contract/rows.ts'

const QUESTION = { role: 'user', content: 'Q' }
const ANSWER = { role: 'assistant', content: 'A' }

async function importFile(file: string, to: Store | null, options: Partial<ImportOptions> = {}) {
  const old = openOldDatabase(file)
  try {
    return await importDatabase(old, to, { sessionFrom: 'session_id', includeDeleted: false, ...options })
  } finally {
    old.close()
  }
}

/** A new store with `rows` taken over, and the report. */
async function taken(t: Test, rows: OldRows, options: Partial<ImportOptions> = {}) {
  const to = await openTestStore(t, sqliteUrl(t))
  const report = await importFile(createOldDatabase(t, rows), to, options)
  isBalanced(t, report)
  return { report, content: await contentOf(to) }
}

/** Whatever was read has gone somewhere. */
function isBalanced(t: Test, { read, made, completed, deleted, unplaced, ...rest }: ImportReport): void {
  const conversations = made.conversations + completed.conversations + rest.unchanged + rest.goneOn.length
  t.equal(
    conversations + deleted.conversations + unplaced.conversations.length,
    read.conversations,
    'every conversation is accounted for'
  )
  const messages = rest.placedMessages + deleted.messages + unplaced.messages.length + rest.messagesOfUnplaced
  t.equal(messages, read.messages, 'every message is accounted for')
}

t.test('a conversation is taken over with its title, model, instants and old id', async (t) => {
  const { content, report } = await taken(t, {
    conversations: [
      { id: 'c1', title: 'Titel', model: 'm1', metadata: '{"a":"1","pinned":true,"n":{"x":2}}' }
    ],
    messages: [
      QUESTION,
      { ...ANSWER, created_at: '2024-05-01 10:00:07' },
      { ...QUESTION, created_at: 1714557660 }
    ]
  })
  const createdAt = Date.parse(CREATED_AT)
  const [{ conversation, turns } = {}] = content
  t.strictSame(conversation, {
    id: conversation?.id,
    sessionId: 's1',
    title: 'Titel',
    model: 'm1',
    metadata: { a: '1', n: '{"x":2}', imported_from: 'c1' },
    pinned: true,
    lastSeq: 2,
    createdAt,
    activeAt: 1714557660_000
  })
  t.ok(isId('conv', conversation?.id ?? ''))
  t.strictSame(
    turns?.map((turn) => turn.createdAt),
    [createdAt, 1714557660_000]
  )
  t.match(report, { made: { conversations: 1, turns: 2 } })
})

t.test('an empty conversation stays an empty one', async (t) => {
  const { content } = await taken(t, { conversations: [{ id: 'c1' }] })
  t.match(content, [{ conversation: { lastSeq: 0, activeAt: Date.parse(CREATED_AT) }, turns: [] }])
})

t.test('messages follow seq, whatever the order of their rows', async (t) => {
  const { content } = await taken(t, {
    conversations: [{ id: 'c1' }],
    messages: [
      { ...ANSWER, seq: 4, content: 'B' },
      { ...QUESTION, seq: 3, content: 'R' },
      { ...ANSWER, seq: 2 },
      { ...QUESTION, seq: 1 }
    ]
  })
  t.match(content[0]?.turns, [
    { userText: 'Q', assistantText: 'A' },
    { userText: 'R', assistantText: 'B' }
  ])
})

/** [conversation, --session-from, owner, whether from the other column] */
const OWNERS: [OldRow, ImportOptions['sessionFrom'], string | null, boolean][] = [
  [{ session_id: 's', user_id: 'u' }, 'session_id', 's', false],
  [{ session_id: 's', user_id: 'u' }, 'user_id', 'u', false],
  [{ session_id: null, user_id: 'u' }, 'session_id', 'u', true],
  [{ session_id: 's', user_id: '' }, 'user_id', 's', true],
  [{ session_id: 'known', user_id: null }, 'user_id', 'of the session', false],
  [{ session_id: null, user_id: null }, 'session_id', null, false]
]

t.test('the owner is from the column asked for, or from the other one, which is reported', async (t) => {
  for (const [row, sessionFrom, owner, fromOther] of OWNERS) {
    const rows = {
      sessions: [{ id: 'known', user_id: 'of the session' }],
      conversations: [{ ...row, id: 'c1' }],
      messages: [QUESTION]
    }
    const { content, report } = await taken(t, rows, { sessionFrom })
    t.equal(content[0]?.conversation.sessionId ?? null, owner, JSON.stringify([row, sessionFrom]))
    t.strictSame([...report.notes.values()].flat(), fromOther ? ['conversation c1'] : [])
    const unplaced = owner === null ? ['c1: it has neither session_id nor user_id'] : []
    t.strictSame(report.unplaced.conversations, unplaced)
  }
})

t.test('deleted conversations are counted, and taken over when asked for', async (t) => {
  const rows = {
    conversations: [
      { id: 'c1', deleted_at: '2024-06-01' },
      { id: 'c2', deleted_at: null },
      { id: 'c3', deleted_at: 0 }
    ],
    messages: [QUESTION, ANSWER]
  }
  const without = await taken(t, rows)
  t.match(without.report.deleted, { conversations: 1, messages: 2 })
  const ids = without.content.map(({ conversation }) => conversation.metadata.imported_from)
  t.strictSame(ids.sort(), ['c2', 'c3'])
  const withThem = await taken(t, rows, { includeDeleted: true })
  t.match(withThem.report, { deleted: { conversations: 0 }, made: { conversations: 3, turns: 1 } })
})

/** [what is odd, the rows, what is reported of it] */
const REPORTED: [string, OldRows, { notes?: [RegExp, string[]][]; unplaced?: string[] }][] = [
  [
    'a message without its conversation is not placed',
    { conversations: [{ id: 'c1' }], messages: [{ ...QUESTION, conversation_id: 'gone' }] },
    { unplaced: ['1: its conversation does not exist'] }
  ],
  [
    'a message that names no conversation is not placed',
    { messages: [{ ...QUESTION, conversation_id: null }] },
    { unplaced: ['1: its conversation does not exist'] }
  ],
  [
    'a message with an unknown role is not placed',
    { conversations: [{ id: 'c1' }], messages: [QUESTION, { role: 'critic', content: 'x' }] },
    { unplaced: ['2: its role is not known'] }
  ],
  [
    'a conversation without an instant takes that of its first message',
    { conversations: [{ id: 'c1', created_at: 'long ago' }], messages: [QUESTION] },
    { notes: [[/created_at cannot be read.*first message/, ['conversation c1']]] }
  ],
  [
    'metadata that is no object',
    { conversations: [{ id: 'c1', metadata: '[1' }] },
    { notes: [[/metadata is not a JSON object/, ['conversation c1']]] }
  ],
  [
    'metadata beyond the limits',
    { conversations: [{ id: 'c1', metadata: JSON.stringify({ a: 'x'.repeat(513), b: 'y' }) }] },
    { notes: [[/metadata has entries beyond the limits/, ['conversation c1']]] }
  ],
  [
    'a status that is not known',
    { conversations: [{ id: 'c1' }], messages: [QUESTION, { ...ANSWER, status: 'odd' }] },
    { notes: [[/status not known/, ['message 2']]] }
  ],
  [
    'instants of messages that cannot be read',
    { conversations: [{ id: 'c1' }], messages: [QUESTION, { ...ANSWER, created_at: '31.12.' }] },
    { notes: [[/created_at cannot be read.*message before/, ['message 2']]] }
  ],
  [
    'a column that is no JSON',
    { conversations: [{ id: 'c1' }], messages: [QUESTION, { ...ANSWER, function_call: '{' }] },
    { notes: [[/does not hold the JSON/, ['message 2']]] }
  ],
  [
    'a tool result without a call',
    { conversations: [{ id: 'c1' }], messages: [{ role: 'tool', content: '1' }, ANSWER] },
    { notes: [[/tool result whose call is not known/, ['message 1']]] }
  ]
]

for (const [title, rows, { notes = [], unplaced = [] }] of REPORTED) {
  t.test(`${title} is reported by id`, async (t) => {
    const { report } = await taken(t, rows)
    t.strictSame(report.unplaced.messages, unplaced)
    t.equal(report.notes.size, notes.length)
    for (const [index, [reason, ids]] of [...report.notes].entries()) {
      t.match(reason, notes[index]?.[0])
      t.strictSame(ids, notes[index]?.[1])
    }
  })
}

const MIXED: OldRows = {
  conversations: [
    { id: 'c1', title: 'Nul\0' },
    { id: 'c2', metadata: '{"pinned":1}' }
  ],
  messages: [
    QUESTION,
    ANSWER,
    { ...ANSWER, content: 'a\0b' },
    { ...QUESTION, conversation_id: 'c2' },
    { ...ANSWER, conversation_id: 'c2', status: 'streaming' }
  ]
}

t.test('a second run changes nothing, in every store', async (t) => {
  for (const url of [sqliteUrl(t), filejsonUrl(t), await startDatabase()]) {
    const to = await openTestStore(t, url)
    const file = createOldDatabase(t, MIXED)
    t.match(await importFile(file, to), { made: { conversations: 2, turns: 3 }, unchanged: 0 })
    const before = await contentOf(to)
    const { writes } = to.counters
    const again = await importFile(file, to)
    t.match(again, { made: { conversations: 0, turns: 0 }, unchanged: 2 })
    isBalanced(t, again)
    t.equal(to.counters.writes, writes, 'nothing is even written')
    t.strictSame(await contentOf(to), before)
  }
})

t.test('what an earlier run left unfinished is completed, and a new title stays', async (t) => {
  const to = await openTestStore(t, sqliteUrl(t))
  const file = createOldDatabase(t, MIXED)
  await importFile(file, to)
  const [first] = await contentOf(to)
  if (!first) throw new Error('nothing there')
  const { id } = first.conversation
  await to.updateConversation('s1', id, { title: 'Mine', pinned: true })
  await to.deleteConversation('s1', id)
  await to.importConversation({ ...first.conversation, title: 'Mine', pinned: true })
  const report = await importFile(file, to)
  t.match(report, { made: { conversations: 0 }, completed: { conversations: 1 }, unchanged: 1 })
  const [after] = await contentOf(to)
  t.strictSame(after?.turns, first.turns)
  t.match(after?.conversation, { title: 'Mine', pinned: true })
})

t.test('a conversation that has gone on here is left alone', async (t) => {
  const to = await openTestStore(t, sqliteUrl(t))
  const file = createOldDatabase(t, MIXED)
  await importFile(file, to)
  const [first] = await contentOf(to)
  await to.beginTurn(newTurn(first?.conversation.id ?? '', { sessionId: 's1' }))
  const before = await contentOf(to)
  const report = await importFile(file, to)
  t.strictSame(report.goneOn, [first?.conversation.metadata.imported_from])
  isBalanced(t, report)
  t.strictSame(await contentOf(to), before)
})

t.test('a conversation of 1,200 turns is taken over whole', async (t) => {
  const messages = Array.from({ length: 1_200 }, (_, index) => [
    { ...QUESTION, seq: index * 2, content: `Q${index}` },
    { ...ANSWER, seq: index * 2 + 1 }
  ]).flat()
  const { content } = await taken(t, { conversations: [{ id: 'c1' }], messages })
  t.equal(content[0]?.turns.length, 1_200)
  t.equal(content[0]?.turns[1_199]?.userText, 'Q1199')
})

t.test('the old file is not touched, not even when its newest rows are still in its log', async (t) => {
  const live = createOldDatabase(t, MIXED)
  const writer = new Database(live)
  t.teardown(() => writer.close())
  writer.pragma('journal_mode = WAL')
  writer.exec("insert into conversations (id, session_id, created_at) values ('c3', 's1', '2024-05-01')")
  // As a service that was killed leaves it: whoever closes it last after writing would empty the log.
  const file = path.join(tempFolder(t), 'old.db')
  for (const suffix of ['', '-wal']) copyFileSync(live + suffix, file + suffix)
  const hashes = () =>
    [file, `${file}-wal`].map((name) => createHash('sha256').update(readFileSync(name)).digest('hex'))
  const before = hashes()
  t.match(await importFile(file, null), { read: { conversations: 3 } })
  t.strictSame(hashes(), before)
})

t.test('a table with fewer columns is read as far as it goes, and what is not read is named', async (t) => {
  const file = createOldDatabase(
    t,
    {},
    `create table conversations (id integer primary key, session_id text, "created_at" integer, system_prompt text);
     create table messages (conversation_id integer, role text, content text, seq integer);
     create table tool_outputs (id integer); insert into tool_outputs values (1); create table empty (id integer);
     insert into conversations values (9007199254740993, 's1', 1714557600, 'x');
     insert into messages values (9007199254740993, 'user', 'Q', 1), (9007199254740993, 'assistant', 'A', 2)`
  )
  const to = await openTestStore(t, sqliteUrl(t))
  const report = await importFile(file, to)
  t.strictSame(report.unread, ['conversations.system_prompt', 'table tool_outputs'])
  const [{ conversation, turns } = {}] = await contentOf(to)
  t.strictSame(conversation?.metadata, { imported_from: '9007199254740993' })
  t.match(turns, [{ userText: 'Q', assistantText: 'A', status: 'completed' }])
})

t.test('a file of another kind is refused with what it lacks', async (t) => {
  const schemas: [string, RegExp][] = [
    ['create table a (id)', /no table conversations/],
    ['create table conversations (id)', /no table messages/],
    [
      'create table conversations (id); create table messages (id, role)',
      /no column messages\.conversation_id/
    ]
  ]
  for (const [schema, expected] of schemas)
    t.throws(() => openOldDatabase(createOldDatabase(t, {}, schema)), { message: expected })
  t.throws(() => openOldDatabase(import.meta.filename), { message: /cannot be read as an SQLite file/ })
})
