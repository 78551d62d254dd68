import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Static, type TSchema, Type } from 'typebox'
import { ApiError, conversationLocked, conversationNotFound } from '../errors.ts'
import type { JsonObject, Turn, TurnKind } from '../storage/contract.ts'
import type { Question, Recorded, TurnRef } from '../storage/persistence.ts'
import { StoreError } from '../storage/store-error.ts'
import { IDENTITY_HEADERS, identityOf } from './request-identity.ts'
import {
  findThread,
  isRunning,
  previousNotFound,
  type Target,
  type TargetFields,
  type Thread,
  targetOf
} from './thread.ts'

/** The headers of requests that a model answers. */
export const ExchangeHeaders = Type.Object({
  'x-conversation-id': Type.Optional(Type.String()),
  'x-parent-seq': Type.Optional(Type.Integer({ minimum: 0, maximum: 2_147_483_647 })),
  'x-on-disconnect': Type.Optional(Type.Union([Type.Literal('abort'), Type.Literal('finish')])),
  ...IDENTITY_HEADERS
})

/** What such a request is answered with, for the API's description; the header names the turn. */
export const exchangeAnswer = (view: TSchema & { description?: string }) => ({
  description: view.description,
  headers: {
    'x-conversation-id': Type.String({ description: 'Where the turn was filed; on every recorded answer' }),
    'x-turn-id': Type.String({ description: "The turn's id; on every recorded answer" }),
    'x-turn-seq': Type.Integer({ description: "The turn's number; on every recorded answer" }),
    'idempotent-replayed': Type.String({ description: '`true`: answered from the stored turn' })
  },
  content: {
    'application/json': { schema: view },
    'text/event-stream': {
      schema: Type.String({ description: "With `stream: true`: the upstream's events, byte for byte" })
    }
  }
})

export interface ExchangeOptions {
  /** For requests that name no model. */
  defaultModel: string | undefined
  /** Whether exchanges are recorded at all. */
  persist: boolean
  /** For requests without `x-on-disconnect`. */
  onDisconnect: 'abort' | 'finish'
  /** The most that is put in front of a request. */
  maxHistoryBytes: number
}

/** What one API does in its own way. */
interface Api {
  kind: Exclude<TurnKind, 'items'>
  /** At the upstream. */
  path: string
  /** What of the request is new in its thread, and the body for the upstream; `set` are fields that are missing in it. */
  prepare(thread: Thread, set: Record<string, string>): Prepared
  /** Answers from a turn that the request made before. */
  replay(turn: Turn): void
}

interface Prepared {
  question: { userText: string | null; input: JsonObject | null }
  body: Buffer
}

/** A request that a model answers, as far as its routes have in common. */
interface ExchangeRequest extends Pick<FastifyRequest, 'rawBody' | 'routeOptions' | 'sessionId'> {
  body: TargetFields & {
    model?: string
    store?: boolean | null
    metadata?: Record<string, string> | null
  }
  headers: Static<typeof ExchangeHeaders>
}

/**
 * Begins an exchange: write 1, and the call for the upstream. Null when the request has been answered from the turn
 * that it made before. Rejects with the error that the client gets.
 */
export async function startExchange(
  app: FastifyInstance,
  options: ExchangeOptions,
  request: ExchangeRequest,
  api: Api
) {
  const { body, headers, sessionId } = request
  const model = body.model ?? options.defaultModel ?? null
  const set: Record<string, string> =
    'model' in body || model === null ? {} : { model: JSON.stringify(model) }
  const opened = await open(app, {
    kind: api.kind,
    sessionId,
    target: targetOf(body, headers),
    parentSeq: headers['x-parent-seq'] ?? null,
    recorded: options.persist && body.store !== false,
    maxHistoryBytes: options.maxHistoryBytes,
    model,
    metadata: body.metadata ?? {},
    identity: identityOf(request),
    prepare: (thread) => api.prepare(thread, set)
  })
  const { recorded } = opened
  if (recorded?.outcome === 'known') {
    api.replay(recorded.turn)
    return null
  }
  const call = { method: 'POST' as const, path: api.path, body: opened.body }
  return { turn: recorded?.turn ?? null, request: call }
}

interface Opening extends Pick<Api, 'kind'>, Pick<ExchangeOptions, 'maxHistoryBytes'> {
  sessionId: string
  target: Target
  parentSeq: number | null
  recorded: boolean
  model: string | null
  metadata: Record<string, string>
  identity: Question['request']
  prepare(thread: Thread): Prepared
}

/** How often a conversation is read again that has gone on meanwhile. */
const MAX_ATTEMPTS = 4

/** Finds the thread of a request and does write 1; `recorded` is null when nothing is to be recorded. */
async function open(
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
