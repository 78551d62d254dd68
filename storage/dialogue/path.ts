import type { Store, Turn } from '../contract.ts'

const PAGE = 500
/** Other requests get their turn between two pages. */
const PAGE_BYTES = 8_388_608

/** The turns on the way to one hold more than was asked for. */
export class HistoryTooLargeError extends Error {}

/**
 * The turns on the way to turn `seq`, as `pathTo` has them; null when the conversation is not there for this session.
 * Rejects with `HistoryTooLargeError` when they hold more than `maxBytes`, see `ByteBound`.
 */
export async function pathUpTo(
  store: Store,
  sessionId: string,
  conversationId: string,
  seq: number,
  maxBytes: number
): Promise<Turn[] | null> {
  const read = (includeSuperseded: boolean) =>
    turnsUpTo(store, sessionId, conversationId, seq, { maxBytes, includeSuperseded })
  const turns = await read(false)
  // Only the way to a turn that was replaced leads over others that were.
  const isWhole = turns === null || seq === 0 || turns.at(-1)?.seq === seq
  const all = isWhole ? turns : await read(true)
  return all && pathTo(all, seq)
}

interface Reading {
  maxBytes: number
  includeSuperseded: boolean
}

/** All turns of a conversation up to `lastSeq`, in their order; null and rejections as in `pathUpTo`. */
export async function turnsUpTo(
  store: Store,
  sessionId: string,
  conversationId: string,
  lastSeq: number,
  { maxBytes, includeSuperseded }: Reading
): Promise<Turn[] | null> {
  const turns: Turn[] = []
  let bytes = 0
  for (let afterSeq = 0; ; afterSeq = turns.at(-1)?.seq ?? 0) {
    const page = await store.listTurns(sessionId, conversationId, {
      limit: PAGE,
      order: 'asc',
      afterSeq,
      beforeSeq: lastSeq + 1,
      includeSuperseded,
      maxBytes: Math.min(PAGE_BYTES, maxBytes - bytes)
    })
    if (!page) return null
    bytes += page.bytes ?? 0
    if (bytes > maxBytes) throw new HistoryTooLargeError(`the turns up to ${lastSeq} hold too much`)
    turns.push(...page.data)
    if (!page.hasMore) return turns
  }
}

/** Turn `seq` of a conversation, superseded or not; null when there is none, or no such conversation of this session. */
export async function turnAt(
  store: Store,
  sessionId: string,
  conversationId: string,
  seq: number
): Promise<Turn | null> {
  const at = { limit: 1, order: 'asc', afterSeq: seq - 1, beforeSeq: seq + 1 } as const
  const page = await store.listTurns(sessionId, conversationId, { ...at, includeSuperseded: true })
  return page?.data[0] ?? null
}

/** The turns on the way to turn `seq`, itself included: those that count now, or the way of a replaced one. */
export function pathTo(turns: Turn[], seq: number): Turn[] {
  const before = turns.filter((turn) => turn.seq <= seq)
  const bySeq = new Map(before.map((turn) => [turn.seq, turn]))
  if (!bySeq.get(seq)?.superseded) return before.filter((turn) => !turn.superseded && !brokeOffBeside(turn))
  const path: Turn[] = []
  for (let at = seq; at > 0; ) {
    // A turn that was deleted is passed over.
    const turn = bySeq.get(at) ?? before.findLast((other) => other.seq < at && !other.superseded)
    if (!turn) break
    path.unshift(turn)
    // What did not complete has replaced nothing.
    at = turn.status === 'completed' ? turn.parentSeq : turn.seq - 1
  }
  return path.filter((turn) => !brokeOffBeside(turn))
}

/** Whether a turn was to replace others and broke off: what it was to replace still counts, and not both can. */
function brokeOffBeside({ status, seq, parentSeq }: Turn): boolean {
  return status === 'incomplete' && parentSeq < seq - 1
}
