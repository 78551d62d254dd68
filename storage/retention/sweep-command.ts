import type { ConversationChoice, Store } from '../contract.ts'
import { openStore } from '../open-store.ts'
import { StoreError } from '../store-error.ts'
import { ArgumentError, assertSourceExists, forFlag, runCommand, splitUrl } from '../transfer/command-line.ts'
import { createProgressBar } from '../transfer/progress-bar.ts'
import { deleteInBatches } from './bulk-deletion.ts'
import { readSweepFlags } from './sweep-flags.ts'

/**
 * `npm run sweep`: deletes what is due, or what an erasure request names, in all sessions. `args` is the command line
 * after the command's name. An error becomes one line on stderr and exit code 1.
 */
export async function sweepCommand(
  args: string[],
  { dbUrl, retentionDays }: { dbUrl: string; retentionDays: number }
): Promise<void> {
  await runCommand('sweep', async () => {
    const { which, dryRun } = readSweepFlags(args, retentionDays)
    assertSourceExists('DB_URL', dbUrl)
    const report = (message: string) => process.stderr.write(`sweep: ${message.split(': ')[0]}\n`)
    const store = await forFlag('DB_URL', () => openStore(dbUrl, { report }))
    try {
      await forFlag('DB_URL', () => store.initialize()).catch(hintAtFolder(dbUrl))
      const total = await store.countConversations(which, Number.MAX_SAFE_INTEGER)
      if (dryRun) process.stdout.write(`dry run  ${total} conversations would be deleted\n`)
      else await deleteAll(store, which, total)
    } finally {
      await store.close()
    }
  })
}

async function deleteAll(store: Store, which: ConversationChoice, total: number): Promise<void> {
  const bar = createProgressBar(process.stderr)
  const deleted = { conversations: 0, turns: 0 }
  try {
    const { complete } = await deleteInBatches(store, which, {
      budgetMs: Number.POSITIVE_INFINITY,
      onBatch(batch) {
        deleted.conversations += batch.conversations
        deleted.turns += batch.turns
        bar.show({ phase: 'deleting', done: deleted.conversations, total })
      }
    })
    if (!complete) throw new StoreError('STORE_UNAVAILABLE', 'some are in use and were left; run it again')
  } finally {
    bar.stop()
    process.stdout.write(`deleted  ${deleted.conversations} conversations, ${deleted.turns} turns\n`)
  }
}

/** One folder, one process: here the usual reason is the service itself. */
function hintAtFolder(dbUrl: string) {
  return (err: unknown): never => {
    if (err instanceof ArgumentError && splitUrl(dbUrl).scheme === 'filejson')
      throw new ArgumentError(`${err.message}; with filejson: stop the service first`)
    throw err
  }
}
