import { ApiError, conversationNotFound, conversationTooLarge } from '../errors.ts'
import type { Store, Turn } from '../storage/contract.ts'
import { HistoryTooLargeError, pathUpTo } from '../storage/dialogue/path.ts'
import { isId } from '../storage/ids.ts'
import { turnBytes } from '../storage/turn-bytes.ts'

/** Where a request's turn belongs, as the request says it. */
export type Target =
  | { kind: 'new' }
  /** The client keeps its own history; the turn is filed here. */
  | { kind: 'filed'; conversationId: string }
  /** The stored history is put in front. */
  | { kind: 'continued'; conversationId: string }
  /** The same, up to one response. */
  | { kind: 'after'; responseId: string }

/** The same, as the store has it. */
export interface Thread {
  conversationId: string | null
  parentSeq: number | null
  expectedLastSeq: number | null
  /** The turns to put in front; null when the client sends its own history. */
  path: Turn[] | null
  /** How much of the request the conversation has already, in messages or items; null = all up to the last answer. */
  known: number | null
}

export interface TargetFields {
  conversation?: string | { id: string } | null
  conversation_id?: string | null
  previous_response_id?: string | null
}

/** Reads the target of a request. Throws a 400 when its fields contradict each other. */
export function targetOf(body: TargetFields, headers: { 'x-conversation-id'?: string }): Target {
  const { conversation, conversation_id: inBody, previous_response_id: responseId } = body
  const inHeader = headers['x-conversation-id']
  if (inHeader !== undefined && inBody && inHeader !== inBody) {
    const message = "'conversation_id' and the header x-conversation-id name different conversations."
    throw new ApiError(400, 'invalid_value', message, { param: 'conversation_id' })
  }
  const filed = inHeader ?? inBody ?? null
  if ([filed, conversation, responseId].filter((given) => given !== null && given !== undefined).length > 1) {
    throw exclusive(responseId ? 'previous_response_id' : 'conversation')
  }
  if (filed !== null) return { kind: 'filed', conversationId: filed }
  if (responseId) return { kind: 'after', responseId }
  if (!conversation) return { kind: 'new' }
  const conversationId = typeof conversation === 'string' ? conversation : conversation.id
  return { kind: 'continued', conversationId }
}

function exclusive(param: string): ApiError {
  const message = `'${param}' can not be used together with another field that says where the turn belongs.`
  return new ApiError(400, 'mutually_exclusive_parameters', message, { param })
}

/**
 * Looks up what a target names. Rejects with the 404 or 400 of one that is not there, or that has more than
 * `maxHistoryBytes` to be put in front.
 */
export async function findThread(
  store: Store,
  sessionId: string,
  target: Target,
  parentSeq: number | null,
  maxHistoryBytes: number
): Promise<Thread> {
  switch (target.kind) {
    case 'new':
      return { conversationId: null, parentSeq, expectedLastSeq: null, path: null, known: 0 }
    case 'filed':
      if (!isId('conv', target.conversationId)) throw conversationNotFound()
      return {
        conversationId: target.conversationId,
        parentSeq,
        expectedLastSeq: null,
        path: null,
        known: null
      }
    case 'continued':
      return await continued(store, sessionId, target.conversationId, parentSeq, maxHistoryBytes)
    case 'after':
      if (parentSeq !== null) throw exclusive('x-parent-seq')
      return await after(store, sessionId, target.responseId, maxHistoryBytes)
  }
}

/** What no newest seq can be: a turn that runs may yet become history, so nothing may begin before it has ended. */
const NEVER = -1

async function continued(
  store: Store,
  sessionId: string,
  conversationId: string,
  parentSeq: number | null,
  maxBytes: number
): Promise<Thread> {
  const known = isId('conv', conversationId)
  const conversation = known ? await store.getConversation(sessionId, conversationId) : null
  const end = parentSeq ?? conversation?.lastSeq ?? 0
  const path =
    conversation && (await historyOf(store, sessionId, conversationId, end, maxBytes, 'conversation'))
  if (!path) throw conversationNotFound('conversation')
  // One that runs elsewhere, write 1 finds.
  const running = path.some((turn) => turn.status === 'in_progress')
  return {
    conversationId,
    parentSeq,
    expectedLastSeq: running ? NEVER : conversation.lastSeq,
    path,
    known: null
  }
}

export function previousNotFound(id: string): ApiError {
  const message = `Previous response with id '${id.slice(0, 256)}' not found.`
  return new ApiError(400, 'previous_response_not_found', message, { param: 'previous_response_id' })
}

/** The turn of a response, by the upstream's id or its own; null when it failed. */
export async function findResponse(store: Store, sessionId: string, id: string): Promise<Turn | null> {
  const by = isId('turn', id) ? { id } : { completionId: id, kind: 'response' as const }
  const turn = await store.findTurn(sessionId, by)
  return turn?.kind === 'response' && turn.status !== 'failed' ? turn : null
}

/** The turns on the way to turn `seq`; null as `pathUpTo`. Rejects with a 400 where they hold more than `maxBytes`. */
export async function historyOf(
  store: Store,
  sessionId: string,
  conversationId: string,
  seq: number,
  maxBytes: number,
  param: string | null = null
): Promise<Turn[] | null> {
  try {
    return await pathUpTo(store, sessionId, conversationId, seq, maxBytes)
  } catch (err) {
    throw err instanceof HistoryTooLargeError ? conversationTooLarge(param, err) : err
  }
}

async function after(store: Store, sessionId: string, responseId: string, maxBytes: number): Promise<Thread> {
  const turn = await findResponse(store, sessionId, responseId)
  const ended = turn !== null && turn.status !== 'in_progress'
  if (!ended) throw previousNotFound(responseId)
  const { conversationId, parentSeq, seq } = turn
  const left = maxBytes - turnBytes(turn)
  if (left < 0) throw conversationTooLarge('previous_response_id')
  const before = await historyOf(store, sessionId, conversationId, parentSeq, left, 'previous_response_id')
  if (!before) throw previousNotFound(responseId)
  return { conversationId, parentSeq: seq, expectedLastSeq: null, path: [...before, turn], known: null }
}

/** The thread can be read again, and its conversation may have gone on since it was: not while a turn runs in it. */
export function isRunning(thread: Thread): boolean {
  return thread.expectedLastSeq === NEVER
}
