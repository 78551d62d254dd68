import { copyFileSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Store } from '../../storage/contract.ts'
import { newId } from '../../storage/ids.ts'
import { openStore } from '../../storage/open-store.ts'
import { tempFolder } from '../helper/app.ts'
import { allTurns, begin, COMPLETED, createConversation, exchange, SESSION, seqs } from './contract/rows.ts'

/** More than are formatted together, and the last of them not full. */
const TURNS = 40

/** A store, and a conversation with turns whose texts it has written before. */
async function start(t: Test) {
  const folder = tempFolder(t)
  const store = await openStore(`filejson:${folder}`, { report: (message) => t.fail(message) })
  t.teardown(() => store.close())
  await store.initialize()
  const { id } = await createConversation(store)
  const keys = []
  for (const seq of seqs(TURNS)) keys.push(await exchange(store, id, {}, { assistantText: `Answer ${seq}` }))
  return { store, id, keys, fileOf: (id: string) => path.join(folder, `${id}.json`) }
}

async function answers(store: Store, id: string) {
  return (await allTurns(store, id)).map(({ assistantText }) => assistantText)
}

t.test('whatever changes, a file has its whole document, and nothing else', async (t) => {
  const { store, id, keys, fileOf } = await start(t)
  const changes: { [title: string]: () => Promise<unknown> } = {
    'a turn more': () => exchange(store, id),
    'two at once': () => Promise.all([exchange(store, id), exchange(store, id)]),
    'a title that looks like turns': () =>
      store.updateConversation(SESSION, id, { title: '\n  "turns": []' }),
    'metadata that looks like turns': () =>
      store.updateConversation(SESSION, id, { metadata: { turns: '[]' } }),
    'an early turn is changed': () =>
      store.changeTurn(SESSION, keys[3] ?? NONE, (turn) => ({ ...turn, userText: 'New' })),
    'an early turn is deleted': () => store.changeTurn(SESSION, keys[1] ?? NONE, () => null),
    'a detail that is deep': () =>
      exchange(store, id, { detail: { turns: [], a: [[{}], [], {}, 'ü\u2028'] } }),
    media: () => exchange(store, id, { detail: { a: `data:image/png;base64,${'iVBORw0KGgo'.repeat(300)}` } }),
    'a path that others are not on': () => exchange(store, id, { parentSeq: 20 }),
    'and the way back': () => exchange(store, id, { parentSeq: TURNS }),
    'a turn that runs': () => begin(store, id, { owner: 'lost' }),
    'and is lost': () => store.recoverTurns('lost'),
    'all turns are deleted': async () => {
      for (const turn of await allTurns(store, id)) await store.changeTurn(SESSION, turn, () => null)
    },
    'a first one again': () => exchange(store, id)
  }
  for (const [title, change] of Object.entries(changes)) {
    const before = readFileSync(fileOf(id), 'utf8')
    await change()
    const text = readFileSync(fileOf(id), 'utf8')
    t.not(text, before, title)
    t.equal(text, `${JSON.stringify(JSON.parse(text), null, 2)}\n`, title)
    const copy = newId('conv')
    copyFileSync(fileOf(id), fileOf(copy)) // which has to be read
    const known = (await allTurns(store, id)).map((turn) => ({ ...turn, conversationId: copy }))
    t.strictSame(await allTurns(store, copy), known, title)
  }
})

const NONE = { id: '', conversationId: '', seq: 0 }

t.test('what was added by hand beside the turns stays beside them', async (t) => {
  const { store, id, fileOf } = await start(t)
  const { turns, ...rest } = JSON.parse(readFileSync(fileOf(id), 'utf8'))
  const notes = [{ turns: [] }, { turns: [{}] }]
  writeFileSync(fileOf(id), JSON.stringify({ before: notes, turns, ...rest, after: notes }))
  await exchange(store, id)
  const text = readFileSync(fileOf(id), 'utf8')
  const document = JSON.parse(text)
  t.equal(text, `${JSON.stringify(document, null, 2)}\n`)
  t.match(document, { before: notes, after: notes })
  t.equal(document.turns.length, TURNS + 1)
})

t.test('an edit between the two writes stays, though the file is as long as before', async (t) => {
  const { store, id, fileOf } = await start(t)
  const running = await begin(store, id)
  const before = readFileSync(fileOf(id), 'utf8')
  writeFileSync(fileOf(id), before.replace('Answer 2"', 'Edited 2"'))
  t.ok(await store.finishTurn(running, COMPLETED))
  t.strictSame((await answers(store, id)).slice(0, 3), ['Answer 1', 'Edited 2', 'Answer 3'])
  t.match(readFileSync(fileOf(id), 'utf8'), /"Edited 2"/)
})

t.test('a file put in place of another stays, though as long and of the same instant', async (t) => {
  const { store, id, fileOf } = await start(t)
  const instant = new Date('2026-01-01T00:00:00Z')
  utimesSync(fileOf(id), instant, instant)
  t.equal((await answers(store, id))[1], 'Answer 2')
  const other = `${fileOf(id)}~`
  writeFileSync(other, readFileSync(fileOf(id), 'utf8').replace('Answer 2"', 'Edited 2"'))
  utimesSync(other, instant, instant)
  renameSync(other, fileOf(id))
  await exchange(store, id)
  t.match(readFileSync(fileOf(id), 'utf8'), /"Edited 2"/)
})

t.test('an edit right after the file got its name is not taken for what was written', async (t) => {
  const { store, id, fileOf } = await start(t)
  const { ino } = statSync(fileOf(id))
  const beginning = begin(store, id)
  while (statSync(fileOf(id)).ino === ino) await setImmediate()
  writeFileSync(fileOf(id), readFileSync(fileOf(id), 'utf8').replace('Answer 2"', 'Edited 2"'))
  t.ok(await store.finishTurn(await beginning, COMPLETED))
  t.match(readFileSync(fileOf(id), 'utf8'), /"Edited 2"/)
})
