import t from 'tap'
import { DAY_MS } from '../../../storage/retention/sweeper.ts'
import { startApp } from '../../helper/app.ts'
import { addDue, idsIn } from '../../helper/due.ts'
import { gate } from '../../helper/endings.ts'
import { startDatabase } from '../../helper/postgres.ts'
import { runSweep } from '../../helper/sweep.ts'
import { filejsonUrl, sqliteUrl } from '../../helper/transfer.ts'
import { DONE, delta, finish, startSse, startUpstream } from '../../helper/upstream.ts'

for (const [driver, makePlace] of Object.entries({ sqlite: sqliteUrl, postgres: startDatabase })) {
  t.test(
    `${driver}: beside a service it takes what is running, whose answer is then discarded`,
    async (t) => {
      const { open, opened } = gate()
      const upstream = await startUpstream(t, async (res) => {
        startSse(res)
        res.write(delta({ content: 'late' }))
        await opened
        res.end(finish() + DONE)
      })
      const dbUrl = await makePlace(t)
      const { app, chat } = await startApp(t, { DB_URL: dbUrl, OPENAI_BASE_URL: upstream.url })
      const running = await chat({ stream: true, metadata: { user: '42' } })
      const swept = await runSweep(t, ['--metadata', 'user=42'], { DB_URL: dbUrl })
      t.strictSame(swept, { code: 0, stdout: 'deleted  1 conversations, 1 turns\n', stderr: '' })
      open()
      t.match(await running.text(), /late.*\[DONE\]/s)
      t.strictSame(await idsIn(app.store), [])
      const next = await chat({ stream: true })
      t.match(await next.text(), /\[DONE\]/)
      t.equal((await idsIn(app.store)).length, 1)
    }
  )
}

t.test('a folder that the service has is left alone', async (t) => {
  const dbUrl = filejsonUrl(t)
  const { app } = await startApp(t, { DB_URL: dbUrl })
  await addDue(app.store, 1, { activeAt: Date.now() - 40 * DAY_MS })
  const { code, stdout, stderr } = await runSweep(t, ['--days', '30'], { DB_URL: dbUrl })
  t.strictSame([code, stdout], [1, ''])
  t.match(stderr, /^sweep: DB_URL: another process is using the folder; .*stop the service first\n$/)
  t.equal((await idsIn(app.store)).length, 1)
})
