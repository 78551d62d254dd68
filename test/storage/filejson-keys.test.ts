import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { openStore } from '../../storage/open-store.ts'
import { tempFolder } from '../helper/app.ts'
import { newKey } from './contract/api-keys.ts'
import { createConversation } from './contract/rows.ts'

async function start(t: Test) {
  const folder = path.join(tempFolder(t), 'data')
  const reports: string[] = []
  const store = await openStore(`filejson:${folder}`, { report: (message) => reports.push(message) })
  t.teardown(() => store.close())
  await store.keys.prepare()
  const fileOf = (id: string) => path.join(folder, '.keys', `${id}.json`)
  return { folder, keys: store.keys, store, reports, fileOf }
}

t.test('a key is a file that its owner alone may read, in a folder of that kind', async (t) => {
  const { folder, keys, fileOf } = await start(t)
  const key = newKey()
  await keys.add(key)
  t.strictSame(readdirSync(path.join(folder, '.keys')), [`${key.id}.json`])
  t.equal(statSync(fileOf(key.id)).mode & 0o777, 0o600)
  for (const name of [folder, path.join(folder, '.keys')]) t.equal(statSync(name).mode & 0o777, 0o700)
  t.strictSame(JSON.parse(readFileSync(fileOf(key.id), 'utf8')), {
    session_id: key.sessionId,
    name: key.name,
    hash: key.hash,
    created_at: key.createdAt
  })
})

const KEY = { session_id: 'alice', name: null, hash: 'ab'.repeat(32), created_at: 1 }
const SECRET = 'canary-secret'

/** What may stand in the place of a key's file. */
const damages: { [title: string]: (file: string) => void } = {
  'an empty file': (file) => writeFileSync(file, ''),
  'half a file': (file) => writeFileSync(file, JSON.stringify({ ...KEY, name: SECRET }).slice(0, 60)),
  'another value': (file) => writeFileSync(file, `"${SECRET}"`),
  'a key without a session': (file) => writeFileSync(file, JSON.stringify({ ...KEY, session_id: undefined })),
  'a key without a hash': (file) => writeFileSync(file, JSON.stringify({ ...KEY, hash: '' })),
  'a hash that is none': (file) => writeFileSync(file, JSON.stringify({ ...KEY, hash: SECRET })),
  'bytes that are no text': (file) => writeFileSync(file, Buffer.from([0x22, 0xff, 0x22])),
  'a folder': (file) => mkdirSync(file),
  'a link to a key': (file) => {
    writeFileSync(`${file}.elsewhere`, JSON.stringify(KEY))
    symlinkSync(`${file}.elsewhere`, file)
  }
}

for (const [title, damage] of Object.entries(damages)) {
  t.test(`${title} is no key, is reported once without its content, and is left`, async (t) => {
    const { folder, keys, reports, fileOf } = await start(t)
    const good = newKey()
    await keys.add(good)
    damage(fileOf('damaged00'))
    const before = readdirSync(path.join(folder, '.keys'))
    for (const _ of [1, 2]) {
      t.equal(await keys.find('damaged00'), null)
      t.strictSame(await keys.list(), [good])
    }
    t.strictSame(readdirSync(path.join(folder, '.keys')), before)
    t.equal(reports.length, 1)
    t.match(reports[0], /^\.keys\/damaged00\.json cannot be read: /)
    t.notMatch(reports[0], SECRET)
  })
}

t.test('a key that is mended is one again, and damaged again is reported again', async (t) => {
  const { keys, reports, fileOf } = await start(t)
  const key = newKey()
  for (const _ of [1, 2]) {
    writeFileSync(fileOf(key.id), '{')
    t.equal(await keys.find(key.id), null)
    await keys.add(key)
    t.strictSame(await keys.find(key.id), key)
  }
  t.equal(reports.length, 2)
})

t.test('no id leads out of the folder, and other files are no keys', async (t) => {
  const { folder, keys, fileOf } = await start(t)
  const outside = path.join(folder, 'outside0.json')
  writeFileSync(outside, JSON.stringify(KEY))
  for (const name of ['UPPERCASE', 'short', 'x'.repeat(33), 'with-dash', '.hidden00'])
    writeFileSync(fileOf(name), JSON.stringify(KEY))
  writeFileSync(fileOf('leftover').replace('.json', '.json.1-1.tmp'), JSON.stringify(KEY))
  const before = readdirSync(path.join(folder, '.keys'))
  for (const id of [
    '../outside0',
    '..',
    '',
    'UPPERCASE',
    'short',
    'x'.repeat(33),
    'with-dash',
    'a/../../outside0'
  ]) {
    t.equal(await keys.find(id), null, id)
    t.equal(await keys.remove(id), false, id)
    await t.rejects(keys.add(newKey({ id })), { code: 'STORE_CORRUPT' }, id)
  }
  t.strictSame(await keys.list(), [])
  t.strictSame(readdirSync(path.join(folder, '.keys')), before)
  t.strictSame(readdirSync(folder), ['.keys', 'outside0.json'])
})

t.test('a start of the service leaves the keys, and keys leave the conversations', async (t) => {
  const { folder, store, fileOf } = await start(t)
  const key = newKey()
  await store.keys.add(key)
  const draft = fileOf(key.id).replace('.json', '.json.1-1.tmp')
  writeFileSync(draft, 'of a command that runs')
  await store.initialize()
  const { id } = await createConversation(store)
  t.strictSame(await store.keys.list(), [key])
  t.ok(readdirSync(path.join(folder, '.keys')).includes(path.basename(draft)))
  t.strictSame(
    (await store.exportConversations(null, 9)).map((row) => row.id),
    [id]
  )
})

t.test('keys that cannot be looked at for now are STORE_UNAVAILABLE, and not gone', async (t) => {
  const { folder, keys } = await start(t)
  const key = newKey()
  await keys.add(key)
  const place = path.join(folder, '.keys')
  renameSync(place, `${place}-moved`)
  writeFileSync(place, 'a file in the way')
  const calls: (() => Promise<unknown>)[] = [
    () => keys.find(key.id),
    () => keys.list(),
    () => keys.add(key),
    () => keys.remove(key.id),
    () => keys.prepare()
  ]
  for (const call of calls) await t.rejects(call(), { name: 'StoreError', code: 'STORE_UNAVAILABLE' })
})
