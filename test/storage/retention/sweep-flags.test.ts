import t from 'tap'
import { readSweepFlags } from '../../../storage/retention/sweep-flags.ts'
import { CUTOFF, DAYS, idsIn, NOW } from '../../helper/due.ts'
import { runSweep } from '../../helper/sweep.ts'
import { addConversation, sqliteUrl, withStore } from '../../helper/transfer.ts'

const SECRET = 'canary-secret'

t.test('the flags say which conversations are meant', (t) => {
  const cases: [args: string[], retentionDays: number, which: object][] = [
    [[], DAYS, { expiredBefore: CUTOFF }],
    [['--days', '30'], 0, { expiredBefore: CUTOFF }],
    [['--days', '30'], 7, { expiredBefore: CUTOFF }],
    [['--days', '30', '--session', 'a'], 7, { sessionId: 'a', expiredBefore: CUTOFF }],
    [['--metadata', 'user=42'], 0, { metadata: { user: '42' } }],
    [['--metadata', 'user=42'], 7, { metadata: { user: '42' } }],
    [['--metadata', 'a=1', '--metadata', 'b=2'], 7, { metadata: { a: '1', b: '2' } }],
    [['--metadata', 'a=x=y', '--metadata', 'b='], 7, { metadata: { a: 'x=y', b: '' } }],
    [['--metadata', 'a=1', '--session', 's'], 7, { sessionId: 's', metadata: { a: '1' } }],
    [['--metadata', 'a=1', '--days', '30'], 7, { metadata: { a: '1' }, expiredBefore: CUTOFF }],
    [['--session', 's', '--everything'], 7, { sessionId: 's' }]
  ]
  for (const [args, retentionDays, which] of cases) {
    t.strictSame(readSweepFlags(args, retentionDays, NOW), { which, dryRun: false }, args.join(' '))
    t.strictSame(readSweepFlags([...args, '--dry-run'], retentionDays, NOW), { which, dryRun: true })
  }
  const { which } = readSweepFlags(['--metadata', '__proto__=1'], 7)
  t.strictSame(Object.keys(which.metadata ?? {}), ['__proto__'], 'a pair like any other')
  t.end()
})

t.test('flags that cannot be followed, or might mean too much, are refused by name', (t) => {
  const cases: [args: string[], message: RegExp][] = [
    [[], /^RETENTION_DAYS: is 0/],
    [['--dry-run'], /^RETENTION_DAYS: is 0/],
    [['--days'], /^--days: a value is missing/],
    [['--metadata'], /^--metadata: a value is missing/],
    [['--dry-run=yes'], /^--dry-run: /],
    ...['0', '-1', '1.5', '030', '1e3', '30d', '', ' 30', '100000'].map((days): [string[], RegExp] => [
      [`--days=${days}`],
      /^--days: must be a whole number/
    ]),
    [['--metadata', SECRET], /^--metadata: must be key=value/],
    [['--metadata', 'user=1', '--metadata', 'user=2'], /^--metadata: a key is given twice/],
    [['--session', 's'], /^--session: which of its conversations/],
    [['--session', ''], /^--session: is empty/],
    [['--session=', '--everything'], /^--session: is empty/],
    [['--everything'], /^--everything: goes with --session/],
    [['--everything', '--metadata', 'a=1'], /^--everything: goes with --session/],
    [['--everything', '--session', 's', '--days', '1'], /^--everything: .*not with --days/],
    [['--user', SECRET], /^--user: there is no such flag/],
    [[SECRET], /^--days, .*: nothing is expected but/]
  ]
  for (const [args, message] of cases) {
    t.throws(() => readSweepFlags(args, 0), { name: 'ArgumentError', message }, args.join(' '))
    try {
      readSweepFlags(args, 0)
    } catch (err) {
      t.notMatch((err as Error).message, SECRET)
    }
  }
  t.end()
})

t.test('a command that is refused is one line, and deletes nothing', async (t) => {
  const dbUrl = sqliteUrl(t)
  await withStore(dbUrl, (store) => addConversation(store, 1))
  const cases: [args: string[], settings: Record<string, string>, message: RegExp][] = [
    [[], {}, /^sweep: RETENTION_DAYS: is 0, .*--days N/],
    [['--days', 'x'], {}, /^sweep: --days: /],
    [['--days', '1'], { DB_URL: `${dbUrl}.none` }, /^sweep: DB_URL: there is no such file or folder/],
    [['--days', '1'], { DB_URL: `mysql://u:${SECRET}@h/d` }, /^sweep: DB_URL: unknown kind of store/],
    [['--days', '1'], { DB_URL: `postgres://u:${SECRET}@127.0.0.1:1/d` }, /^sweep: DB_URL: Postgres: /],
    [[], { RETENTION_DAYS: '3d' }, /RETENTION_DAYS: must be a whole number/]
  ]
  for (const [args, settings, message] of cases) {
    const { code, stdout, stderr } = await runSweep(t, args, { DB_URL: dbUrl, ...settings })
    t.strictSame([code, stdout], [1, ''], `${message}: exit code`)
    t.match(stderr, message)
    t.match(stderr, /^[^\n]+\n$/, 'one line')
    t.notMatch(stderr, SECRET)
  }
  t.equal((await withStore(dbUrl, idsIn)).length, 1)
})
