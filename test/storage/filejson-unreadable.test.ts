import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { openStore } from '../../storage/open-store.ts'
import { tempFolder } from '../helper/app.ts'
import { allTurns, createConversation, exchange, SESSION, seqs } from './contract/rows.ts'

const page = { limit: 100, order: 'asc' } as const

async function start(t: Test, folder = tempFolder(t)) {
  const reports: string[] = []
  const store = await openStore(`filejson:${folder}`, { report: (message) => reports.push(message) })
  t.teardown(() => store.close())
  await store.initialize()
  const fileOf = (id: string) => path.join(folder, `${id}.json`)
  const setAside = () => readdirSync(folder).filter((name) => name.includes('.unreadable-'))
  return { folder, store, reports, fileOf, setAside }
}

/** What can become of a file, from its text. */
const damages: { [title: string]: (text: string) => string | Buffer } = {
  'that is empty': () => '',
  'that is cut off': (text) => text.slice(0, -20),
  'of zeros, as some file systems leave them after a power cut': (text) => Buffer.alloc(text.length),
  'that is no JSON': (text) => text.replace('{', '{ canary,'),
  'with a list instead of a conversation': () => '[]',
  'with null': () => 'null',
  'without turns': (text) => JSON.stringify({ ...JSON.parse(text), turns: undefined }),
  'with a turn of the wrong shape': (text) => text.replace('"seq": 1', '"seq": "1"'),
  'with bytes that are not UTF-8': (text) =>
    Buffer.from(text.replace('Grüße', 'canary Gr\xfc\xdfe'), 'latin1')
}

for (const [title, damage] of Object.entries(damages)) {
  t.test(`a file ${title} is set aside as it is, told once, and the others work`, async (t) => {
    const { folder, store, reports, fileOf, setAside } = await start(t)
    const [good, bad] = [await createConversation(store), await createConversation(store, { title: 'Grüße' })]
    for (const { id } of [good, bad]) await exchange(store, id)
    const bytes = Buffer.from(damage(readFileSync(fileOf(bad.id), 'utf8')))
    writeFileSync(fileOf(bad.id), bytes)

    const looks = seqs(5).map(() => store.listConversations(SESSION, page))
    const get = store.getConversation(SESSION, bad.id)
    for (const { data } of await Promise.all(looks)) {
      t.strictSame(
        data.map(({ id }) => id),
        [good.id]
      )
    }
    t.equal(await get, null)
    t.equal(await store.getConversation(SESSION, bad.id), null)
    t.equal(await store.listTurns(SESSION, bad.id, page), null)
    t.equal((await exchange(store, good.id)).seq, 2)

    const [name = '', ...others] = setAside()
    t.strictSame(others, [])
    t.ok(name.startsWith(`${bad.id}.json.`), name)
    t.strictSame(readFileSync(path.join(folder, name)), bytes)
    t.equal(reports.length, 1)
    t.match(reports[0], `${bad.id}.json cannot be read and was set aside as ${name}: `)
    t.notMatch(reports[0], /canary|Hello/, 'the log gets no text of the file')
  })
}

t.test(
  'a file that cannot be read does not stop the start, and can be put back once it is mended',
  async (t) => {
    const folder = tempFolder(t)
    const first = await start(t, folder)
    const { id } = await createConversation(first.store)
    await exchange(first.store, id)
    const text = readFileSync(first.fileOf(id), 'utf8')
    await first.store.close()
    writeFileSync(first.fileOf(id), text.slice(1))

    const { store, reports, fileOf, setAside } = await start(t, folder)
    t.equal(setAside().length, 1)
    t.equal(reports.length, 1)
    writeFileSync(fileOf(id), text)
    t.match(await allTurns(store, id), [{ seq: 1, assistantText: 'Hello' }])
    t.equal(setAside().length, 1, 'the copy that was set aside is left to people')
  }
)

for (const [title, text] of Object.entries({
  empty: '',
  'no JSON': '{"one":',
  null: 'null',
  'of text': '"x"'
})) {
  t.test(`a file of beats that is ${title} does not stop the start`, async (t) => {
    const folder = tempFolder(t)
    writeFileSync(path.join(folder, '.owners.json'), text)
    const { store, reports } = await start(t, folder)
    t.equal((await store.beat('one')).find(({ owner }) => owner === 'one')?.beat, 1)
    t.equal(reports.length, title === 'empty' || title === 'no JSON' ? 1 : 0)
  })
}

t.test('a file that is deleted between the look at it and its reading is gone, not an error', async (t) => {
  const { store, fileOf } = await start(t)
  const { id } = await createConversation(store)
  writeFileSync(fileOf(id), `${readFileSync(fileOf(id), 'utf8')}\n`) // so that it has to be read again
  const reading = store.getConversation(SESSION, id)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100) // it is looked at; this thread has not heard yet
  rmSync(fileOf(id))
  t.equal(await reading, null)
})
