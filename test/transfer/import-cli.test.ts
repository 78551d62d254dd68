import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { loadConfig } from '../../config.ts'
import { createOldDatabase, type OldRows } from '../fixtures/old-database.ts'
import { tempFolder } from '../helper/app.ts'
import { readSource } from '../helper/doc-tables.ts'
import { contentOf, runCommand, sqliteUrl, withStore } from '../helper/transfer.ts'

const SECRET = 'canary-secret'
const ROWS: OldRows = {
  conversations: [
    { id: 'c1', title: SECRET },
    { id: 'c2', session_id: null, user_id: 'u2' },
    { id: 'c3', deleted_at: '2024-06-01' },
    { id: 'c4', session_id: null }
  ],
  messages: [
    { role: 'user', content: SECRET },
    { role: 'assistant', content: SECRET },
    { role: 'critic', content: SECRET },
    { role: 'user', content: SECRET, conversation_id: 'c2', created_at: 'soon' },
    { role: 'user', content: SECRET, conversation_id: 'c3' },
    { role: 'user', content: SECRET, conversation_id: 'c4' },
    { role: 'user', content: SECRET, conversation_id: 'c5' }
  ]
}
const REPORT = `\
read         4 conversations, 7 messages
made         2 conversations, 2 turns
completed    0 conversations, 0 turns
there        0 conversations from an earlier run, nothing to change
gone on      0 conversations that have more turns here, left alone
deleted      1 conversations, 1 messages, not taken over (see --include-deleted)
messages     3 placed in turns, 1 deleted, 3 not placed
note         conversation c2: owner from the other column, because the one asked for is empty
note         message 4: created_at cannot be read, taken from the message before or the conversation
NOT PLACED   conversation c4: it has neither session_id nor user_id
NOT PLACED   message 7: its conversation does not exist
NOT PLACED   message 3: its role is not known
not read     sessions.created_at
`

const hashOf = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex')

t.test(
  'an import reports all it read, by counts and old ids, and leaves the old file as it is',
  async (t) => {
    const [file, to] = [createOldDatabase(t, ROWS), sqliteUrl(t)]
    const before = hashOf(file)
    const args = ['--from', `sqlite:${file}`, '--to', to]

    const dry = await runCommand(t, 'import', [...args, '--dry-run'])
    t.strictSame(dry, {
      code: 0,
      signal: null,
      stdout: `${REPORT}dry run      nothing was written\n`,
      stderr: ''
    })
    t.notOk(existsSync(to.slice('sqlite:'.length)), 'a dry run does not even make the target')

    t.strictSame(await runCommand(t, 'import', args), { code: 0, signal: null, stdout: REPORT, stderr: '' })
    const content = await withStore(to, contentOf)
    t.equal(content.length, 2)

    const second = await runCommand(t, 'import', args)
    t.match(second.stdout, /^made +0 conversations, 0 turns\n/m)
    t.match(second.stdout, /^there +2 conversations/m)
    t.strictSame(await withStore(to, contentOf), content)

    const all = await runCommand(t, 'import', [...args, '--include-deleted', '--session-from', 'user_id'])
    t.match(all.stdout, /^made +1 conversations, 1 turns\n/m)
    t.equal(hashOf(file), before)
  }
)

t.test('a command line that cannot be followed is one line that names the flag', async (t) => {
  const old = `sqlite:${createOldDatabase(t, ROWS)}`
  const other = `sqlite:${createOldDatabase(t, {}, 'create table a (id)')}`
  const cases: [string[], RegExp][] = [
    [[], /^import: --from: is missing/],
    [['--from', 'sqlite:none.db'], /^import: --from: there is no such file/],
    [['--from', `sqlite:${tempFolder(t)}`], /^import: --from: cannot be read as an SQLite file/],
    [['--from', `sqlite:${import.meta.filename}`], /^import: --from: cannot be read as an SQLite file/],
    [['--from', other], /^import: --from: .*no table conversations/],
    [['--from', `postgres://u:${SECRET}@h/d`], /^import: --from: must be sqlite:<old file>/],
    [['--from', old, '--to', old], /^import: --to: names the same store/],
    [['--from', old, '--to', `mysql://u:${SECRET}@h/d`], /^import: --to: unknown kind of store/],
    [['--from', old, '--session-from', 'owner'], /^import: --session-from: must be session_id or user_id/],
    [['--from', old, '--dry'], /^import: --dry: there is no such flag/]
  ]
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = await runCommand(t, 'import', args)
    t.equal(code, 1, `${expected}: exit code`)
    t.match(stderr, expected)
    t.match(stderr, /^[^\n]+\n$/, `${expected}: one line`)
    t.notMatch(stderr + stdout, SECRET)
  }
})

t.test('the default target is that of the service', async (t) => {
  const source = readSource('storage/transfer/import-cli.ts')
  t.ok(source.includes(`'${loadConfig({}).DB_URL}'`))
})
