import type { FastifyInstance } from 'fastify'
import { ApiError, conversationLocked, conversationNotFound } from '../errors.ts'
import type { JsonObject } from '../storage/contract.ts'
import type { Question, Recorded, TurnRef } from '../storage/persistence.ts'
import { StoreError } from '../storage/store-error.ts'
import type { ExternalName, Match, ThreadRequest } from '../storage/threading/threading.ts'
import { findThread, isRunning, previousNotFound, type Target, type Thread } from './thread.ts'

/** What of a request is new in its thread, and its body for the upstream. */
export interface Prepared {
  question: { userText: string | null; input: JsonObject | null }
  body: Buffer
}

export interface Opening {
  request: ThreadRequest
  /** The client's own name for the conversation. */
  external: ExternalName | null
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

export interface Opened {
  /** Null when nothing is to be recorded. */
  recorded: Recorded | null
  /** How the conversation was found; null where nothing is recorded, or nobody looks for conversations. */
  match: Match | null
  body: Buffer
}

export type Decorated = Pick<FastifyInstance, 'store' | 'persistence' | 'threading'>

/** How often a conversation is read again that has gone on meanwhile. */
const MAX_ATTEMPTS = 4

/** Does write 1 of a request that says itself where it belongs, or that is not to be recorded. */
export async function openNamedTurn(
  { store, persistence, threading }: Decorated,
  opening: Opening
): Promise<Opened> {
  const { request, target, model, metadata, identity, maxHistoryBytes } = opening
  const { kind, sessionId } = request
  const match = threading && opening.recorded ? 'explicit' : null
  const marks = match && threading?.marksOf(request)
  for (let attempt = 1; ; attempt += 1) {
    const thread = await findThread(store, sessionId, target, opening.parentSeq, maxHistoryBytes)
    const { path: _, known: __, ...place } = thread
    const { question, body } = opening.prepare(thread)
    if (!opening.recorded) {
      const id = target.kind === 'filed' ? target.conversationId : null
      if (id !== null && !(await store.getConversation(sessionId, id))) throw conversationNotFound()
      return { recorded: null, match, body }
    }
    try {
      const all = { ...question, ...place, kind, sessionId, model, metadata, marks, request: identity }
      const recorded = await persistence.recordUserMessage(all)
      if (!recorded) throw conversationNotFound(target.kind === 'continued' ? 'conversation' : null)
      if (recorded.outcome === 'known') assertReplayable(recorded)
      else if (recorded.turn.attempt > 1 && thread.path)
        return { ...(withoutEarlierAttempt(opening, thread, recorded.turn) ?? { recorded, body }), match }
      return { recorded, match, body }
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

export function assertReplayable({ turn, sameRequest }: Extract<Recorded, { outcome: 'known' }>): void {
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
