import { conversationNotFound } from '../errors.ts'
import { StoreError } from '../storage/store-error.ts'
import type { Placement, Threading } from '../storage/threading/threading.ts'
import { assertReplayable, type Decorated, type Opened, type Opening } from './open-turn.ts'
import { MAX_METADATA_PAIRS } from './shapes.ts'

/** How often another place is looked for. */
const MAX_ATTEMPTS = 8

/** Does write 1 of a request that says nothing of where it belongs, in the conversation that it is found to go on with. */
export async function openFoundTurn(
  { persistence }: Decorated,
  threading: Threading,
  opening: Opening
): Promise<Opened> {
  const { request, external, model, metadata, identity } = opening
  const { kind, sessionId } = request
  /** Conversations that it does not fit in. */
  const without = new Set<string>()
  let busy: Placement | null = null
  for (let attempt = 1; ; attempt += 1) {
    const placement = await threading.place(request, external, without)
    const { match, marks, known, conversationId, parentSeq, externalKey } = placement
    let { expectedLastSeq } = placement
    if (conversationId !== null && busy?.conversationId === conversationId) {
      // Where it has not gone on, it is an older turn that runs in it.
      if (busy.expectedLastSeq === expectedLastSeq) expectedLastSeq = null
      else {
        // Others went on from there at the same moment: these are several chats now.
        without.add(conversationId)
        continue
      }
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
        request: identity
      })
      if (recorded?.outcome === 'known') assertReplayable(recorded)
      if (recorded) return { recorded, match, body }
      if (attempt === MAX_ATTEMPTS) throw conversationNotFound() // else it was deleted since, and is not found again
    } catch (err) {
      const code = err instanceof StoreError ? err.code : null
      if (conversationId === null || attempt === MAX_ATTEMPTS || !PASSING.has(code)) throw err
      if (code === 'CONVERSATION_BUSY') busy = placement
      else without.add(conversationId)
    }
  }
}

/** What another place for the request may not run into. */
const PASSING = new Set<string | null>(['CONVERSATION_BUSY', 'CONVERSATION_FULL', 'PARENT_INVALID'])

/** A new conversation says which one the request may as well have gone on with. */
function forkedFrom(
  { conversationId, forkedFrom: found }: Placement,
  without: Set<string>,
  metadata: Record<string, string>
): Record<string, string> {
  const other = found ?? [...without].at(-1)
  const isTold = conversationId === null && other !== undefined
  return isTold && Object.keys(metadata).length < MAX_METADATA_PAIRS ? { forked_from: other } : {}
}
