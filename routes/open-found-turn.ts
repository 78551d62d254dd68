import type { Recorded } from '../storage/persistence.ts'
import { StoreError } from '../storage/store-error.ts'
import type { Placement, Threading } from '../storage/threading/threading.ts'
import { assertReplayable, type Decorated, type Opened, type Opening } from './open-turn.ts'
import { MAX_METADATA_PAIRS } from './shapes.ts'

/** How often a place is looked for before the request gets a conversation of its own. */
const MAX_PLACES = 8

/** Does write 1 of a request that says nothing of where it belongs, in the conversation that it is found to go on with. */
export async function openFoundTurn(
  { persistence }: Decorated,
  threading: Threading,
  opening: Opening
): Promise<Opened> {
  const { request, model, metadata, identity } = opening
  const { kind, sessionId } = request
  let { external } = opening
  /** Conversations that it does not fit in. */
  const without = new Set<string>()
  let busy: Placement | null = null
  for (let places = 1; ; places += 1) {
    const isLast = places > MAX_PLACES
    const placement: Placement = isLast
      ? threading.apart(request)
      : await threading.place(request, external, without)
    const { match, marks, known, conversationId, externalKey } = placement
    let { parentSeq, expectedLastSeq } = placement
    if (conversationId !== null && busy?.conversationId === conversationId) {
      if (busy.expectedLastSeq !== expectedLastSeq) {
        // Others went on from there at the same moment: these are several chats now.
        without.add(conversationId)
        continue
      }
      // It has not gone on: an older turn runs in it.
      parentSeq ??= expectedLastSeq
      expectedLastSeq = null
    }
    const thread = { conversationId, parentSeq, expectedLastSeq, path: null }
    const { question, body } = opening.prepare({ ...thread, known })
    if (match === 'skipped') return { recorded: null, match, body }
    try {
      const recorded = await persistence.recordUserMessage({
        ...question,
        ...thread,
        kind,
        sessionId,
        model,
        metadata,
        marks,
        externalKey,
        conversationMetadata: forkedFrom(placement, without, metadata),
        keepsInput: true,
        request: identity
      })
      if (recorded === null && !isLast) continue // it was deleted since, and is not found again
      if (recorded === null) throw new StoreError('STORE_UNAVAILABLE', 'the turn found no place')
      if (recorded.outcome === 'known') assertReplayable(recorded)
      return { recorded, match: isElsewhere(recorded, placement) ? 'exact' : match, body }
    } catch (err) {
      const code = err instanceof StoreError ? err.code : null
      if (isLast || !PASSING.has(code)) throw err
      if (code === 'CONVERSATION_BUSY') busy = placement
      else if (conversationId !== null) without.add(conversationId)
      else external = null // the one of that name has no room
    }
  }
}

/** What another place for the request may not run into. */
const PASSING = new Set<string | null>(['CONVERSATION_BUSY', 'CONVERSATION_FULL', 'PARENT_INVALID'])

/** A request that is made again goes on in the turn that it began before. */
function isElsewhere({ turn }: Recorded, { conversationId }: Placement): boolean {
  return turn.attempt > 1 && turn.conversationId !== conversationId
}

/** A new conversation says which one the request may as well have gone on with. */
function forkedFrom(
  { conversationId, forkedFrom: found }: Placement,
  without: Set<string>,
  metadata: Record<string, string>
): Record<string, string> {
  const other = found ?? [...without].at(-1)
  if (conversationId !== null || other === undefined || FORKED_FROM in metadata) return {}
  return Object.keys(metadata).length < MAX_METADATA_PAIRS ? { [FORKED_FROM]: other } : {}
}

const FORKED_FROM = 'forked_from'
