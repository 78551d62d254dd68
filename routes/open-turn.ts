import type { FastifyInstance } from 'fastify'
import { ApiError, conversationLocked, conversationNotFound } from '../errors.ts'
import type { JsonObject, TurnKind } from '../storage/contract.ts'
import type { Question, Recorded, TurnRef } from '../storage/persistence.ts'
import { StoreError } from '../storage/store-error.ts'
import { findThread, isRunning, previousNotFound, type Target, type Thread } from './thread.ts'

/** What of a request is new in its thread, and its body for the upstream. */
export interface Prepared {
  question: { userText: string | null; input: JsonObject | null }
  body: Buffer
}

interface Opening {
  kind: Exclude<TurnKind, 'items'>
  sessionId: string
  target: Target
  parentSeq: number | null
  recorded: boolean
  model: string | null
  metadata: Record<string, string>
  /** The most that is put in front of the request. */
  maxHistoryBytes: number
  identity: Question['request']
  prepare(thread: Thread): Prepared
}

/** How often a conversation is read again that has gone on meanwhile. */
const MAX_ATTEMPTS = 4

/** Finds the thread of a request and does write 1; `recorded` is null when nothing is to be recorded. */
export async function openTurn(
  { store, persistence }: Pick<FastifyInstance, 'store' | 'persistence'>,
  opening: Opening
): Promise<{ recorded: Recorded | null; body: Buffer }> {
  const { sessionId, target, kind, model, metadata, identity, maxHistoryBytes } = opening
  for (let attempt = 1; ; attempt += 1) {
    const thread = await findThread(store, sessionId, target, opening.parentSeq, maxHistoryBytes)
    const { path: _, ...place } = thread
    const { question, body } = opening.prepare(thread)
    if (!opening.recorded) {
      const id = target.kind === 'filed' ? target.conversationId : null
      if (id !== null && !(await store.getConversation(sessionId, id))) throw conversationNotFound()
      return { recorded: null, body }
    }
    try {
      const all = { ...question, ...place, kind, sessionId, model, metadata, request: identity }
      const recorded = await persistence.recordUserMessage(all)
      if (!recorded) throw conversationNotFound(target.kind === 'continued' ? 'conversation' : null)
      if (recorded.outcome === 'known') assertReplayable(recorded)
      else if (recorded.turn.attempt > 1 && thread.path)
        return withoutEarlierAttempt(opening, thread, recorded.turn) ?? { recorded, body }
      return { recorded, body }
    } catch (err) {
      const busy = err instanceof StoreError && err.code === 'CONVERSATION_BUSY'
      if (busy && (isRunning(thread) || attempt === MAX_ATTEMPTS)) throw conversationLocked('conversation')
      if (!busy) explainParent(err, target)
    }
  }
}

/**
 * A request that is made again is not to find its own first attempt in the history. Null when it cannot be prepared
 * without: the turn runs already, and must not be left behind by an error.
 */
function withoutEarlierAttempt(opening: Opening, thread: Thread, turn: TurnRef) {
  const path = thread.path?.filter(({ seq }) => seq < turn.seq) ?? null
  try {
    const { question, body } = opening.prepare({ ...thread, path })
    return { recorded: { outcome: 'begun' as const, turn: { ...turn, input: question.input } }, body }
  } catch {
    return null
  }
}

function assertReplayable({ turn, sameRequest }: Extract<Recorded, { outcome: 'known' }>): void {
  const param = 'idempotency-key'
  if (!sameRequest) {
    const message = 'This Idempotency-Key was used for another request.'
    const headers = { 'x-should-retry': 'false' }
    throw new ApiError(422, 'idempotency_key_reused', message, { param, headers })
  }
  if (turn.status === 'completed') return
  const message = 'The request with this Idempotency-Key is still running.'
  throw new ApiError(409, 'idempotency_in_progress', message, { param, headers: { 'retry-after': '1' } })
}

function explainParent(err: unknown, target: Target): never {
  if (!(err instanceof StoreError) || err.code !== 'PARENT_INVALID') throw err
  if (target.kind === 'after') throw previousNotFound(target.responseId) // it was deleted meanwhile
  throw new ApiError(400, 'invalid_value', `Invalid 'x-parent-seq': ${err.message}.`, {
    param: 'x-parent-seq'
  })
}
