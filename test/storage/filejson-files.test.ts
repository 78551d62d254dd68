import {
  copyFileSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { newId } from '../../storage/ids.ts'
import { openStore } from '../../storage/open-store.ts'
import { tempFolder } from '../helper/app.ts'
import { allTurns, begin, createConversation, exchange, newTurn, SESSION } from './contract/rows.ts'

const page = { limit: 100, order: 'asc' } as const

async function start(t: Test, folder = tempFolder(t)) {
  const store = await openStore(`filejson:${folder}`, { report: (message) => t.fail(message) })
  t.teardown(() => store.close())
  await store.initialize()
  const fileOf = (id: string) => path.join(folder, `${id}.json`)
  const ids = async () => (await store.listConversations(SESSION, page)).data.map(({ id }) => id)
  return { folder, store, fileOf, ids }
}

/** Replaces a part of a file where it stands, as an editor does. */
function edit(file: string, from: string, to: string): void {
  const before = readFileSync(file, 'utf8')
  const after = before.replace(from, to)
  if (after === before) throw new Error(`${file} does not hold ${from}`)
  writeFileSync(file, after)
}

t.test('a conversation is one file that people can read, for its owner alone', async (t) => {
  const { folder, store, fileOf } = await start(t)
  const { id } = await createConversation(store, { title: 'Grüße' })
  await exchange(store, id, { userText: 'Wie geht’s?' })
  t.strictSame(
    readdirSync(folder).filter((name) => !name.startsWith('.')),
    [`${id}.json`]
  )
  const text = readFileSync(fileOf(id), 'utf8')
  t.equal(text, `${JSON.stringify(JSON.parse(text), null, 2)}\n`)
  t.match(text, /^ {2}"title": "Grüße",$/m)
  t.match(text, /^ {6}"user_text": "Wie geht’s\?",$/m)
  t.equal(statSync(fileOf(id)).mode & 0o777, 0o600)
  const { turns } = JSON.parse(text)
  t.match(turns, [{ seq: 1, status: 'completed', assistant_text: 'Hello' }])
  t.notHas(turns[0], 'owner', 'who ran it is of no interest once it has ended')
})

t.test('a folder that is missing is made, for its owner alone', async (t) => {
  const folder = path.join(tempFolder(t), 'a', 'b')
  await start(t, folder)
  t.equal(statSync(folder).mode & 0o777, 0o700)
})

t.test('a file that is copied in by hand is in the list, in get and in turns', async (t) => {
  const { store, fileOf, ids } = await start(t)
  const { id } = await createConversation(store, { title: 'Copied' })
  await exchange(store, id)
  t.strictSame(await ids(), [id])
  const copy = newId('conv')
  copyFileSync(fileOf(id), fileOf(copy))
  t.strictSame(await ids(), [id, copy])
  t.strictSame(await store.getConversation(SESSION, copy), {
    ...(await store.getConversation(SESSION, id)),
    id: copy
  })
  t.match(await allTurns(store, copy), [{ seq: 1, conversationId: copy, assistantText: 'Hello' }])
  t.equal((await begin(store, copy)).seq, 2, 'and it can be gone on with')
  t.equal((await store.getConversation(SESSION, id))?.lastSeq, 1, 'on its own')
})

t.test('a file that is edited by hand is seen, and what was edited stays', async (t) => {
  const { store, fileOf, ids } = await start(t)
  const { id } = await createConversation(store, { title: 'Before' })
  await exchange(store, id)
  edit(fileOf(id), '"Before"', '"After it"')
  t.equal((await store.getConversation(SESSION, id))?.title, 'After it')
  edit(fileOf(id), '"After it"', '"Once more"')
  t.match(await store.listConversations(SESSION, page), { data: [{ title: 'Once more' }] })
  edit(fileOf(id), '"Hello"', '"Good day"')
  t.match(await allTurns(store, id), [{ assistantText: 'Good day' }])
  edit(fileOf(id), '"Good day"', '"Good night"')
  await exchange(store, id)
  t.match(await allTurns(store, id), [{ assistantText: 'Good night' }, { assistantText: 'Hello' }])
  edit(fileOf(id), `"${SESSION}"`, '"bob"')
  t.strictSame(await ids(), [], 'it can be given to another session')
  t.equal(await store.beginTurn(newTurn(id)), null)
})

t.test('a file with a byte order mark, as some editors write it, is read', async (t) => {
  const { store, fileOf } = await start(t)
  const { id } = await createConversation(store, { title: 'Marked' })
  writeFileSync(fileOf(id), `\uFEFF${readFileSync(fileOf(id), 'utf8')}`)
  t.match(await store.getConversation(SESSION, id), { title: 'Marked' })
})

t.test('a file that is deleted by hand is gone', async (t) => {
  const { store, fileOf, ids } = await start(t)
  const [kept, gone] = [await createConversation(store), await createConversation(store)]
  const running = await begin(store, gone.id)
  rmSync(fileOf(gone.id))
  t.equal(await store.finishTurn(running, { ...ENDING, assistantText: 'late' }), false)
  t.strictSame(await ids(), [kept.id])
  t.equal(await store.getConversation(SESSION, gone.id), null)
  t.equal(await store.listTurns(SESSION, gone.id, page), null)
  t.equal(await store.deleteConversation(SESSION, gone.id), false)
  t.notOk(existsSync(fileOf(gone.id)), 'and nothing brought it back')
})

const ENDING = {
  status: 'completed',
  error: null,
  finishReason: 'stop',
  completionId: null,
  model: null,
  detail: null
} as const

t.test('a symbolic link in place of a file is not followed, neither to read nor to write', async (t) => {
  const { folder, store, fileOf, ids } = await start(t)
  const { id } = await createConversation(store)
  const elsewhere = path.join(tempFolder(t), 'private.json')
  copyFileSync(fileOf(id), elsewhere)
  const before = readFileSync(elsewhere, 'utf8')
  const link = newId('conv')
  symlinkSync(elsewhere, fileOf(link))
  t.strictSame(await ids(), [id])
  t.equal(await store.getConversation(SESSION, link), null)
  t.equal(await store.beginTurn(newTurn(link)), null)
  t.equal(await store.updateConversation(SESSION, link, { title: 'x' }), null)
  t.equal(await store.deleteConversation(SESSION, link), false)
  rmSync(fileOf(id))
  symlinkSync(elsewhere, fileOf(id))
  t.equal(await store.getConversation(SESSION, id), null, 'one that was a file before')
  t.equal(readFileSync(elsewhere, 'utf8'), before)
  t.ok(lstatSync(path.join(folder, `${link}.json`)).isSymbolicLink(), 'it is left alone')
})

t.test('what is no file of ours is neither read nor changed', async (t) => {
  const folder = tempFolder(t)
  const others = {
    'notes.json': 'not ours',
    'conv_1.json': '{',
    'notes.tmp': 'mine',
    'conv.json.1-1.tmp': 'mine'
  }
  for (const [name, text] of Object.entries(others)) writeFileSync(path.join(folder, name), text)
  const { store, ids } = await start(t, folder)
  await createConversation(store)
  t.equal((await ids()).length, 1)
  for (const [name, text] of Object.entries(others)) {
    t.equal(readFileSync(path.join(folder, name), 'utf8'), text, name)
  }
})

t.test('an id never becomes a path', async (t) => {
  const parent = tempFolder(t)
  const folder = path.join(parent, 'store')
  const { store } = await start(t, folder)
  const secret = newId('conv')
  const { id } = await createConversation(store)
  copyFileSync(path.join(folder, `${id}.json`), path.join(parent, `${secret}.json`))
  const before = [readdirSync(parent), readdirSync(folder)]
  const odd = [
    `../${secret}`,
    '../../x',
    `${id}/../../${secret}`,
    `./${id}`,
    '',
    '.',
    `${id}\0`,
    '/etc/passwd'
  ]
  for (const name of odd) {
    const title = JSON.stringify(name)
    t.equal(await store.getConversation(SESSION, name), null, title)
    t.equal(await store.listTurns(SESSION, name, page), null, title)
    t.equal(await store.deleteConversation(SESSION, name), false, title)
    t.equal(await store.beginTurn(newTurn(name)), null, title)
    await t.rejects(createConversation(store, { id: name }), { name: 'StoreError' }, title)
    await t.rejects(store.beginTurn(newTurn(name, { create: true })), { name: 'StoreError' }, title)
  }
  t.strictSame([readdirSync(parent), readdirSync(folder)], before)
})

t.test('a list reads only what has changed, as its time, size and inode tell', async (t) => {
  const { store, fileOf } = await start(t)
  const { id } = await createConversation(store, { title: 'AAAA' })
  const titles = async () => (await store.listConversations(SESSION, page)).data.map(({ title }) => title)
  const instant = new Date('2026-01-01T00:00:00Z')
  utimesSync(fileOf(id), instant, instant)
  t.strictSame(await titles(), ['AAAA'])
  edit(fileOf(id), 'AAAA', 'BBBB')
  utimesSync(fileOf(id), instant, instant)
  t.strictSame(await titles(), ['AAAA'], 'a change that nothing tells is not looked for')
  utimesSync(fileOf(id), instant, new Date('2026-01-01T00:00:01Z'))
  t.strictSame(await titles(), ['BBBB'])
})

t.test('a store whose folder is gone is not ready', async (t) => {
  const { folder, store } = await start(t)
  await t.resolves(store.ping())
  rmSync(folder, { recursive: true })
  await t.rejects(store.ping(), { code: 'STORE_UNAVAILABLE' })
})

t.test('media is in a conversation’s file once, and goes with the last turn that has it', async (t) => {
  const { store, fileOf } = await start(t)
  const { id } = await createConversation(store)
  const detail = { a: `data:image/png;base64,${'iVBORw0KGgo'.repeat(300)}` }
  const keys = [
    await exchange(store, id, { detail }, { detail }),
    await exchange(store, id, { detail }, { detail })
  ]
  const times = () => readFileSync(fileOf(id), 'utf8').split(detail.a).length - 1
  t.equal(times(), 1)
  for (const [index, key] of keys.entries()) {
    await store.changeTurn(SESSION, key, () => null)
    t.equal(times(), 1 - index)
  }
  t.notHas(JSON.parse(readFileSync(fileOf(id), 'utf8')), 'media')
})

t.test(
  'a file as it was written before turns had a kind, a model, metadata and attempts is read',
  async (t) => {
    const { store, fileOf, ids } = await start(t)
    const { id } = await createConversation(store)
    await exchange(store, id, { metadata: { a: '1' }, requestHash: 'h' })
    const document = JSON.parse(readFileSync(fileOf(id), 'utf8'))
    for (const key of ['kind', 'model', 'metadata', 'attempt', 'request_hash']) delete document.turns[0][key]
    writeFileSync(fileOf(id), JSON.stringify(document))
    t.strictSame(await ids(), [id])
    const plain = { kind: 'chat', model: null, metadata: {}, attempt: 1, assistantText: 'Hello' }
    t.match(await allTurns(store, id), [plain])
    t.match(await store.findTurn(SESSION, { completionId: 'chatcmpl-1', kind: 'chat' }), plain)
  }
)
