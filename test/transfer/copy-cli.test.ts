import { once } from 'node:events'
import { readdirSync, watch, writeFileSync } from 'node:fs'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { createProgressBar } from '../../storage/transfer/progress-bar.ts'
import { tempFolder } from '../helper/app.ts'
import { startDatabase } from '../helper/postgres.ts'
import {
  addConversation,
  contentOf,
  filejsonUrl,
  runCommand,
  sqliteUrl,
  startCommand,
  withStore
} from '../helper/transfer.ts'

const SECRET = 'canary-secret'

t.test('a copy says what it did and that both sides are the same', async (t) => {
  const [from, to] = [sqliteUrl(t), await startDatabase()]
  await withStore(from, (store) =>
    addConversation(store, 2, ({ seq }) => (seq === 2 ? { status: 'in_progress', finishReason: null } : {}))
  )
  const { code, stdout, stderr } = await runCommand(t, 'copy', ['--from', from, '--to', to])
  t.equal(stderr, '', 'no bar where there is no terminal')
  t.equal(code, 0)
  const [source, target] = stdout.match(/1 conversations, 2 turns, sha256 \w{64}/g) ?? []
  t.ok(source)
  t.equal(target, source)
  for (const line of [
    /^copied +1 conversations, 2 turns$/m,
    /^keys +0 API keys$/m,
    /^ended +1 turns that were still running, as incomplete\/server_lost$/m,
    /^others +0 conversations/m,
    /^verified +source and target are the same$/m
  ])
    t.match(stdout, line)
  t.match((await withStore(to, contentOf))[0]?.turns[1], { status: 'incomplete', error: 'server_lost' })
})

t.test('a copy that was killed in the middle is finished by the next run', async (t) => {
  const [from, to] = [sqliteUrl(t), filejsonUrl(t)]
  const count = 400
  await withStore(from, (store) =>
    Promise.all(Array.from({ length: count }, () => addConversation(store, 3)))
  )
  await withStore(to, async () => {}) // makes the folder to look at
  const folder = to.slice('filejson:'.length)
  const copied = () =>
    readdirSync(folder).filter((name) => name.endsWith('.json') && name.startsWith('conv_'))

  const command = startCommand(t, 'copy', ['--from', from, '--to', to])
  const watcher = watch(folder)
  t.teardown(() => watcher.close())
  while (copied().length < 20) await once(watcher, 'change')
  command.kill()
  t.equal((await command.ended).signal, 'SIGKILL')
  t.ok(copied().length < count, 'it was in the middle')

  const { code, stdout } = await runCommand(t, 'copy', ['--from', from, '--to', to])
  t.equal(code, 0)
  t.match(stdout, /^verified/m)
  t.strictSame(await withStore(to, contentOf), await withStore(from, contentOf))
})

t.test(
  'a conversation that is not the same makes the exit code 1 and is named without its texts',
  async (t) => {
    const [from, to] = [sqliteUrl(t), sqliteUrl(t)]
    const fields = { title: SECRET }
    const text = () => ({ userText: SECRET })
    const { id } = await withStore(from, (store) => addConversation(store, 1, text, fields))
    await withStore(to, (store) => addConversation(store, 2, text, { ...fields, id }))
    const { code, stdout, stderr } = await runCommand(t, 'copy', ['--from', from, '--to', to])
    t.equal(code, 1)
    t.equal(stderr, `copy: ${id} has more turns in the target, left as it is there\n`)
    t.match(stdout, /^NOT EQUAL +1 conversations/m)
    t.notMatch(stdout + stderr, SECRET)
  }
)

t.test('a file of the source that cannot be read makes the exit code 1', async (t) => {
  const from = filejsonUrl(t)
  const { id } = await withStore(from, (store) => addConversation(store, 1))
  writeFileSync(path.join(from.slice('filejson:'.length), `${id}.json`), `${SECRET} is no JSON`)
  const { code, stdout, stderr } = await runCommand(t, 'copy', ['--from', from, '--to', sqliteUrl(t)])
  t.equal(code, 1)
  t.match(stdout, /^NOT EQUAL +1 conversations/m)
  t.notMatch(stdout, 'verified')
  t.match(stderr, new RegExp(`^copy: --from: ${id}\\.json cannot be read`))
  t.notMatch(stderr, SECRET.slice(0, 6), 'not even the beginning of what is in it')
})

t.test('a command line that cannot be followed is one line that names the flag', async (t) => {
  const here = sqliteUrl(t)
  await withStore(here, async () => {})
  const secretUrl = `postgres://user:${SECRET}@127.0.0.1:1/db`
  const cases: [string[], RegExp][] = [
    [[], /^copy: --from: is missing/],
    [['--from', here], /^copy: --to: is missing/],
    [['--to', here], /^copy: --from: is missing/],
    [['--from'], /^copy: --from: a value is missing/],
    [['--from', here, '--to', '--dry'], /^copy: --to: /],
    [['--from', here, '--to', here], /^copy: --to: names the same store/],
    [['--from', here, '--to', here.replace('sqlite:', 'file:')], /^copy: --to: names the same store/],
    [['--from', secretUrl, '--to', 'postgresql://other@localhost:1/db'], /^copy: --to: names the same store/],
    [['--from', `sqlite:${tempFolder(t)}/none.db`, '--to', here], /^copy: --from: there is no such file/],
    [['--from', here, '--to', `mysql://u:${SECRET}@h/d`], /^copy: --to: unknown kind of store/],
    [['--from', `nothing${SECRET}`, '--to', here], /^copy: --from: unknown kind of store/],
    [['--from', secretUrl, '--to', here], /^copy: --from: Postgres: ECONNREFUSED/],
    [['--from', `postgres://u:${SECRET}@[`, '--to', here], /^copy: --from: /],
    [[secretUrl, here], /^copy: --from, --to: /],
    [['--form', secretUrl], /^copy: --form: there is no such flag/]
  ]
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = await runCommand(t, 'copy', args)
    t.equal(code, 1, `${expected}: exit code`)
    t.match(stderr, expected)
    t.match(stderr, /^[^\n]+\n$/, `${expected}: one line`)
    t.notMatch(stderr + stdout, SECRET)
  }
})

t.test('the bar is drawn on a terminal and nowhere else', async (t) => {
  for (const isTTY of [true, false]) {
    const stream = Object.assign(new PassThrough(), { isTTY, columns: 80 })
    const bar = createProgressBar(stream as unknown as NodeJS.WriteStream)
    bar.show({ phase: 'copying', done: 1, total: 2 })
    bar.show({ phase: 'verifying', done: 2, total: 2 })
    bar.stop()
    const drawn = String(stream.read() ?? '')
    if (isTTY) t.match(drawn, /copying.*0\/2 conversations[\s\S]*verifying/)
    else t.equal(drawn, '')
  }
})
