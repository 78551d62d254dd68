import type { ConversationChoice } from '../contract.ts'
import { ArgumentError, readFlags } from '../transfer/command-line.ts'
import { DAY_MS } from './sweeper.ts'

export interface SweepRequest {
  which: ConversationChoice
  /** Count only. */
  dryRun: boolean
}

/**
 * What the flags in `args` ask to be deleted; without any, what is older than `retentionDays`. Throws `ArgumentError`:
 * also where what is asked for could be more than was meant.
 */
export function readSweepFlags(args: string[], retentionDays: number, now = Date.now()): SweepRequest {
  const flags = readFlags(args, {
    days: { type: 'string' },
    session: { type: 'string' },
    metadata: { type: 'string', multiple: true },
    everything: { type: 'boolean', default: false },
    'dry-run': { type: 'boolean', default: false }
  })
  const { session, everything } = flags
  const metadata = flags.metadata && toPairs(flags.metadata)
  const days = flags.days === undefined ? undefined : toDays(flags.days)
  if (session === '') throw new ArgumentError('--session: is empty')
  if (everything && (session === undefined || days !== undefined))
    throw new ArgumentError('--everything: goes with --session, and not with --days')
  if (session !== undefined && !metadata && days === undefined && !everything)
    throw new ArgumentError(
      '--session: which of its conversations? --days N for those that are due, --metadata key=value, or --everything'
    )
  const isErasure = metadata !== undefined || everything
  const age = days ?? (isErasure ? undefined : retentionDays)
  if (age === 0)
    throw new ArgumentError('RETENTION_DAYS: is 0, so nothing is ever due; --days N says otherwise')
  const which = {
    ...(session !== undefined && { sessionId: session }),
    ...(metadata && { metadata }),
    ...(age !== undefined && { expiredBefore: now - age * DAY_MS })
  }
  return { which, dryRun: flags['dry-run'] }
}

function toDays(text: string): number {
  // 0 would be everything that is neither pinned nor running.
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new ArgumentError('--days: must be a whole number from 1 to 99999')
  return Number(text)
}

function toPairs(given: string[]): Record<string, string> {
  const pairs = new Map<string, string>()
  for (const text of given) {
    const at = text.indexOf('=')
    if (at === -1) throw new ArgumentError('--metadata: must be key=value')
    const key = text.slice(0, at)
    // The last one would win, and more be deleted than both say.
    if (pairs.has(key)) throw new ArgumentError('--metadata: a key is given twice')
    pairs.set(key, text.slice(at + 1))
  }
  return Object.fromEntries(pairs)
}
