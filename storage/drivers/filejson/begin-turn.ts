import type { BegunTurn, NewTurn } from '../../contract.ts'
import { namingTurn } from '../uncertain-turn.ts'
import { hasFailed, newDocument, withNextAttempt, withTurn } from './changes.ts'
import type { ConversationDocument, TurnDocument } from './document.ts'
import { type FoundTurn, fullTurn, newestOf } from './session-turns.ts'

interface Folder {
  /** All turns of a session. */
  turnsOf(sessionId: string): Promise<FoundTurn[]>
  /** The id of the session's conversation that was made with this key, or null. */
  findExternal(sessionId: string, externalKey: string): Promise<string | null>
  /** Replaces a conversation's document by what `change` makes of it; null leaves it as it is. */
  rewrite<T>(
    id: string,
    change: (current: ConversationDocument | null) => { next: ConversationDocument | null; result: T }
  ): Promise<{ written: boolean; result: T }>
}

/** Only for one request of a key, of either kind, at a time: nothing holds the session's turns while they are looked through. */
export async function beginTurn(turn: NewTurn, folder: Folder): Promise<BegunTurn | null> {
  while (turn.idempotencyKey !== null || turn.retrySince !== null) {
    const turns = await folder.turnsOf(turn.sessionId)
    const keyed =
      turn.idempotencyKey === null
        ? undefined
        : turns.find((found) => found.turn.idempotency_key === turn.idempotencyKey)
    if (keyed && keyed.turn.created_at < turn.keysSince) {
      await folder.rewrite(keyed.conversationId, (current) => ({
        next: current && withoutKey(current, keyed.turn),
        result: null
      }))
      continue
    }
    const sameRequest = keyed !== undefined && (keyed.turn.request_hash ?? null) === turn.requestHash
    if (keyed && !(sameRequest && hasFailed(keyed.turn)))
      return { outcome: 'known', turn: fullTurn(keyed), sameRequest }
    const earlier = keyed ?? newestOf(turns.filter((found) => isToRetry(found.turn, turn)))
    if (!earlier) break
    const result = await begin(
      folder,
      earlier.conversationId,
      (current) => current && withNextAttempt(current, earlier.conversationId, earlier.turn, turn)
    )
    if (result) return result
  }
  const named = turn.create && typeof turn.externalKey === 'string'
  const there = named ? await folder.findExternal(turn.sessionId, turn.externalKey ?? '') : null
  const conversationId = there ?? turn.conversationId
  const result = await begin(folder, conversationId, (current) => {
    const own = current?.session_id === turn.sessionId ? current : null
    const document = turn.create && there === null ? newDocument(turn) : own
    return document && withTurn(document, { ...turn, conversationId })
  })
  return result
}

type Begun = Extract<BegunTurn, { outcome: 'begun' }>

async function begin(
  folder: Folder,
  id: string,
  change: (
    current: ConversationDocument | null
  ) => { next: ConversationDocument; result: Omit<Begun, 'outcome'> } | null
): Promise<Begun | null> {
  return await namingTurn(async (hold) => {
    const { result } = await folder.rewrite(id, (current) => {
      const made = change(current)
      const begun: Begun | null = made && { outcome: 'begun', ...made.result }
      hold(begun)
      return { next: made?.next ?? null, result: begun }
    })
    return result
  })
}

function isToRetry(earlier: TurnDocument, { requestHash, retrySince }: NewTurn): boolean {
  return (
    requestHash !== null &&
    retrySince !== null &&
    earlier.request_hash === requestHash &&
    earlier.created_at >= retrySince &&
    earlier.idempotency_key === undefined &&
    hasFailed(earlier)
  )
}

function withoutKey(document: ConversationDocument, { id, seq }: TurnDocument): ConversationDocument {
  const turns = document.turns.map((turn) => {
    if (turn.id !== id || turn.seq !== seq) return turn
    const { idempotency_key: _, ...rest } = turn
    return rest
  })
  return { ...document, turns }
}
