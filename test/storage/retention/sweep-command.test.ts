import { writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { DAY_MS } from '../../../storage/retention/sweeper.ts'
import { tempFolder } from '../../helper/app.ts'
import { openDatabase } from '../../helper/database.ts'
import { addDue, idsIn } from '../../helper/due.ts'
import { DRIVERS } from '../../helper/every-driver.ts'
import { runSweep } from '../../helper/sweep.ts'
import { contentOf, sqliteUrl, withStore } from '../../helper/transfer.ts'
import { begin } from '../contract/rows.ts'

const agoDays = (days: number) => ({ activeAt: Date.now() - days * DAY_MS })

for (const [driver, makePlace] of Object.entries(DRIVERS)) {
  t.test(`${driver}: a dry run says how many would go and changes nothing, then they go`, async (t) => {
    const dbUrl = await makePlace(t)
    const settings = { DB_URL: dbUrl, RETENTION_DAYS: '30' }
    await withStore(dbUrl, async (store) => {
      for (const days of [31, 40]) await addDue(store, 3, agoDays(days))
      await addDue(store, 3, { ...agoDays(40), pinned: true })
      await begin(store, (await addDue(store, 1)).id, { createdAt: agoDays(40).activeAt })
      await addDue(store, 3, agoDays(29))
    })
    const before = await withStore(dbUrl, contentOf)
    const dry = await runSweep(t, ['--dry-run'], settings)
    t.strictSame(dry, { code: 0, stdout: 'dry run  2 conversations would be deleted\n', stderr: '' })
    t.strictSame(await withStore(dbUrl, contentOf), before)

    const swept = await runSweep(t, [], settings)
    t.strictSame(swept, { code: 0, stdout: 'deleted  2 conversations, 6 turns\n', stderr: '' })
    t.strictSame(await withStore(dbUrl, contentOf), before.slice(2))
  })

  t.test(`${driver}: an erasure request takes pinned, running and new ones, of all sessions`, async (t) => {
    const dbUrl = await makePlace(t)
    const metadata = { user: '42', plan: 'free' }
    const kept = await withStore(dbUrl, async (store) => {
      const { id } = await addDue(store, 1, { ...agoDays(0), metadata })
      await begin(store, id)
      await addDue(store, 1, { ...agoDays(40), pinned: true, metadata })
      await addDue(store, 2, { ...agoDays(0), sessionId: 'bob', metadata })
      const other = await addDue(store, 1, { ...agoDays(40), metadata: { user: '421', plan: 'free' } })
      return [other.id]
    })
    const swept = await runSweep(t, ['--metadata', 'user=42'], { DB_URL: dbUrl, RETENTION_DAYS: '30' })
    t.match(swept, { code: 0, stdout: 'deleted  3 conversations, 5 turns\n' })
    t.strictSame(await withStore(dbUrl, idsIn), kept)
  })
}

t.test('a session goes by age, or as a whole', async (t) => {
  const dbUrl = sqliteUrl(t)
  await withStore(dbUrl, async (store) => {
    for (const sessionId of ['alice', 'bob']) {
      await addDue(store, 1, { sessionId, ...agoDays(40) })
      await addDue(store, 1, { sessionId, ...agoDays(40), pinned: true })
      await addDue(store, 1, { sessionId, ...agoDays(0) })
    }
  })
  const settings = { DB_URL: dbUrl, RETENTION_DAYS: '30' }
  const sweep = async (...args: string[]) =>
    (await runSweep(t, ['--session', 'alice', ...args], settings)).stdout
  t.match(await sweep('--days', '30'), 'deleted  1 conversations')
  t.match(await sweep('--everything'), 'deleted  2 conversations')
  t.equal((await withStore(dbUrl, idsIn)).length, 3)
})

t.test('the settings may be in a .env where it starts', async (t) => {
  const [folder, dbUrl] = [tempFolder(t), sqliteUrl(t)]
  await withStore(dbUrl, (store) => addDue(store, 1, agoDays(8)))
  writeFileSync(path.join(folder, '.env'), `DB_URL=${dbUrl}\nRETENTION_DAYS=7\n`)
  t.match(await runSweep(t, [], {}, folder), { code: 0, stdout: /^deleted {2}1 conversations/ })
})

t.test('a store that fails midway makes the exit code 1, and what went is said', async (t) => {
  const dbUrl = sqliteUrl(t)
  await withStore(dbUrl, async (store) => {
    await addDue(store, 600, agoDays(41))
    await addDue(store, 600, { ...agoDays(40), title: 'stuck' })
  })
  const trigger =
    "before delete on conversations when old.title = 'stuck' begin select raise(abort, 'no'); end"
  openDatabase(t, dbUrl).exec(`create trigger no ${trigger}`)
  const { code, stdout, stderr } = await runSweep(t, ['--days', '30'], { DB_URL: dbUrl })
  t.strictSame([code, stdout], [1, 'deleted  1 conversations, 600 turns\n'])
  t.match(stderr, /^sweep: .*SQLITE_CONSTRAINT_TRIGGER[^\n]*\n$/)
  t.equal((await withStore(dbUrl, idsIn)).length, 1)
})
