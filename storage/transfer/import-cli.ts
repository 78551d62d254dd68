import { openStore } from '../open-store.ts'
import {
  ArgumentError,
  assertDifferent,
  assertSourceExists,
  forFlag,
  readFlags,
  requireUrl,
  runCommand,
  splitUrl
} from './command-line.ts'
import { importDatabase } from './import.ts'
import { reportLines } from './import-report.ts'
import type { OwnerColumn } from './old-conversation.ts'
import { OldDatabaseError, openOldDatabase } from './old-database.ts'
import { createProgressBar } from './progress-bar.ts'

/** What the service itself uses when nothing is set. */
const DEFAULT_TARGET = 'sqlite:./data/turnkeeper.db'

await runCommand('import', async () => {
  const flags = readFlags(process.argv.slice(2), {
    from: { type: 'string' },
    to: { type: 'string', default: DEFAULT_TARGET },
    'session-from': { type: 'string', default: 'session_id' },
    'include-deleted': { type: 'boolean', default: false },
    'dry-run': { type: 'boolean', default: false }
  })
  const from = requireUrl('--from', flags.from)
  const to = requireUrl('--to', flags.to)
  const sessionFrom = flags['session-from']
  if (!isOwnerColumn(sessionFrom)) throw new ArgumentError('--session-from: must be session_id or user_id')
  const { scheme, location } = splitUrl(from)
  if (scheme !== 'sqlite' && scheme !== 'file') throw new ArgumentError('--from: must be sqlite:<old file>')
  assertDifferent(from, to)
  assertSourceExists('--from', from)
  const dryRun = flags['dry-run']
  const includeDeleted = flags['include-deleted']

  const old = openOld(location)
  const report = (message: string) => process.stderr.write(`import: --to: ${message.split(': ')[0]}\n`)
  const bar = createProgressBar(process.stderr)
  try {
    // A dry run does not even open the target: that would make it.
    const store = dryRun ? null : await forFlag('--to', () => openStore(to, { report }))
    try {
      await forFlag('--to', async () => store?.initialize())
      const options = { sessionFrom, includeDeleted, onProgress: bar.show }
      const result = await importDatabase(old, store, options)
      bar.stop()
      process.stdout.write(`${reportLines(result, includeDeleted).join('\n')}\n`)
      if (dryRun) process.stdout.write('dry run      nothing was written\n')
    } finally {
      await store?.close()
    }
  } finally {
    bar.stop()
    old.close()
  }
})

function openOld(file: string) {
  try {
    return openOldDatabase(file)
  } catch (err) {
    if (err instanceof OldDatabaseError) throw new ArgumentError(`--from: ${err.message}`)
    throw err
  }
}

function isOwnerColumn(name: string): name is OwnerColumn {
  return name === 'session_id' || name === 'user_id'
}
