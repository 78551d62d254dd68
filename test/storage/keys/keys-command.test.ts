import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { newApiKey } from '../../../storage/keys/api-key.ts'
import { readKeysArguments } from '../../../storage/keys/keys-command.ts'
import { openStore } from '../../../storage/open-store.ts'
import { ArgumentError } from '../../../storage/transfer/command-line.ts'
import { tempFolder } from '../../helper/app.ts'
import { eventually } from '../../helper/endings.ts'
import { DRIVERS } from '../../helper/every-driver.ts'
import { request } from '../../helper/request.ts'
import { runServer } from '../../helper/run-server.ts'
import { startServer } from '../../helper/server-process.ts'

const KEY = /^tk_([a-z0-9]{16})_([A-Za-z0-9_-]{43})\n$/

for (const [driver, makePlace] of Object.entries(DRIVERS)) {
  t.test(`${driver}: keys are added, listed and revoked beside a running service`, async (t) => {
    const DB_URL = await makePlace(t)
    const { url } = await startServer(t, { DB_URL, AUTH: 'key' })
    const keys = (...args: string[]) => runServer(t, ['keys', ...args], { DB_URL })
    const statusOf = async (key: string) =>
      (await request(`${url}/v1/conversations`, { headers: { authorization: `Bearer ${key}` } })).status

    const added = await keys('add', '--session', 'älice b', '--name', 'a laptop')
    t.match(added, { code: 0, stderr: '' })
    const [, id = '', secret = ''] = KEY.exec(added.stdout) ?? []
    t.ok(id && secret, 'the key is printed, and nothing else')
    const key = added.stdout.trim()
    t.equal(await statusOf(key), 200, 'it works at once')
    const store = await openStore(DB_URL, { report() {} })
    t.teardown(() => store.close())
    const another = newApiKey({ sessionId: 'bob', name: null, createdAt: 0 })
    await store.keys.add(another.stored)

    const listed = await keys('list')
    t.match(listed, { code: 0, stderr: '' })
    const rows = listed.stdout
      .trim()
      .split('\n')
      .map((line) => line.split('\t'))
    t.same(
      rows.map(([rowId]) => rowId),
      [id, another.stored.id].sort()
    )
    const row = rows.find(([rowId]) => rowId === id)
    t.same(row?.slice(1, 3), ['älice b', 'a laptop'])
    t.ok(Math.abs(Date.parse(row?.[3] ?? '') - Date.now()) < 600_000, 'made a moment ago')
    t.equal(rows.find(([rowId]) => rowId !== id)?.[2], '-', 'a key needs no name')
    const hashes = (await store.keys.list()).map(({ hash }) => hash)
    for (const unseen of [...hashes, secret]) t.notOk(listed.stdout.includes(unseen), 'no hash and no secret')
    t.notOk(hashes.includes(secret))

    t.match(await keys('revoke', id), { code: 0, stdout: '', stderr: '' })
    await eventually('a refusal', async () => (await statusOf(key)) === 401)
    t.equal(await statusOf(another.key), 200, 'the other one works on')
  })
}

t.test('what cannot be followed is named, and never quoted', async (t) => {
  const key = `tk_${'a'.repeat(16)}_${'B'.repeat(43)}`
  const usage = /^add --session S \[--name N\], list, or revoke <id>$/
  const cases: [args: string[], line: RegExp][] = [
    [[], usage],
    [['remove', key], usage],
    [['add'], /^--session: /],
    [['add', '--session'], /^--session: /],
    [['add', '--session', ''], /^--session: /],
    [['add', '--session', 'a\nb'], /^--session: /],
    [['add', '--session', key.repeat(10)], /^--session: /],
    [['add', '--session', 'a', '--name', ''], /^--name: /],
    [['add', '--session', 'a', '--key', key], /^--key: /],
    [['add', '--session', 'a', key], /^--session, --name: /],
    [['list', key], /./],
    [['revoke'], /^revoke: /],
    [['revoke', key], /^revoke: /],
    [['revoke', '../x'], /^revoke: /],
    [['revoke', 'a'.repeat(16), 'b'], /^revoke: /]
  ]
  for (const [args, line] of cases) {
    const name = args.join(' ').slice(0, 60)
    try {
      readKeysArguments(args)
      t.fail(name)
    } catch (err) {
      t.ok(err instanceof ArgumentError, name)
      t.match((err as Error).message, line, name)
      t.notOk((err as Error).message.includes(key), name)
    }
  }
})

t.test('a command that cannot be followed is one line, code 1, and leaves no store behind', async (t) => {
  const file = path.join(tempFolder(t), 'x.db')
  const { code, stdout, stderr } = await runServer(t, ['keys', 'add'], { DB_URL: `sqlite:${file}` })
  t.match({ code, stdout }, { code: 1, stdout: '' })
  t.match(stderr, /^keys: --session: [^\n]+\n$/)
  t.notOk(existsSync(file))
  const again = await runServer(t, ['keys', 'revoke', 'a'.repeat(16)], { DB_URL: `sqlite:${file}` })
  t.match(again, { code: 1, stdout: '', stderr: 'keys: DB_URL: there is no such file or folder\n' })
})

t.test('a store that cannot be reached is one line without its password', async (t) => {
  const { code, stdout, stderr } = await runServer(t, ['keys', 'list'], {
    DB_URL: 'postgres://joe:hunter2@127.0.0.1:1/turns'
  })
  t.match({ code, stdout }, { code: 1, stdout: '' })
  t.match(stderr, /^keys: [^\n]+\n$/)
  t.notMatch(stderr, 'hunter2')
})

t.test('a file of a key that is not one opens nothing', async (t) => {
  const folder = tempFolder(t)
  mkdirSync(path.join(folder, '.keys'))
  const id = 'a'.repeat(16)
  writeFileSync(path.join(folder, '.keys', `${id}.json`), '{"session_id":"anne","hash":""}')
  const { url } = await startServer(t, { DB_URL: `filejson:${folder}`, AUTH: 'key' })
  for (const secret of ['A'.repeat(43), '']) {
    const headers = { authorization: `Bearer tk_${id}_${secret}` }
    t.equal((await request(`${url}/v1/conversations`, { headers })).status, 401)
  }
})
