import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Static, type TSchema, Type } from 'typebox'
import type { JsonObject, Turn, TurnKind } from '../storage/contract.ts'
import { externalNameOf } from './known-clients.ts'
import { openFoundTurn } from './open-found-turn.ts'
import { openNamedTurn, type Prepared } from './open-turn.ts'
import { IDENTITY_HEADERS, identityOf } from './request-identity.ts'
import { type TargetFields, type Thread, targetOf } from './thread.ts'

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
    'x-conversation-match': Type.String({
      description:
        'How the conversation was found: `explicit`, `external`, `exact`, `anchor`, `new`; or `skipped`'
    }),
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
  /** The header that names the session, where one does. */
  sessionHeader: string | null
}

/** What one API does in its own way. */
interface Api {
  kind: Exclude<TurnKind, 'items'>
  /** At the upstream. */
  path: string
  /** What the request says, in messages or items. */
  entries: JsonObject[]
  /** What of the request is new in its thread, and the body for the upstream; `set` are fields that are missing in it. */
  prepare(thread: Thread, set: Record<string, string>): Prepared
  /** Answers from a turn that the request made before. */
  replay(turn: Turn): void
}

/** A request that a model answers, as far as its routes have in common. */
interface ExchangeRequest extends Pick<FastifyRequest, 'rawBody' | 'routeOptions' | 'sessionId'> {
  body: TargetFields & {
    model?: string
    store?: boolean | null
    user?: unknown
    safety_identifier?: unknown
    litellm_session_id?: unknown
    metadata?: Record<string, string> | null
  }
  headers: IncomingHttpHeaders & Static<typeof ExchangeHeaders>
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
  const opening = {
    request: {
      kind: api.kind,
      sessionId,
      endUser: endUserOf(body),
      entries: api.entries,
      isKept: body.store === true
    },
    external: externalNameOf(headers, body, options.sessionHeader),
    target: targetOf(body, headers),
    parentSeq: headers['x-parent-seq'] ?? null,
    recorded: options.persist && body.store !== false,
    maxHistoryBytes: options.maxHistoryBytes,
    model,
    metadata: body.metadata ?? {},
    identity: identityOf(request),
    prepare: (thread: Thread) => api.prepare(thread, set)
  }
  const { threading } = app
  const isNamed = opening.target.kind !== 'new' || opening.parentSeq !== null
  const opened =
    threading === null || isNamed || !opening.recorded
      ? await openNamedTurn(app, opening)
      : await openFoundTurn(app, threading, opening)
  const { recorded, match } = opened
  if (match !== null) app.metrics.matched(match)
  if (recorded?.outcome === 'known') {
    api.replay(recorded.turn)
    return null
  }
  const call = { method: 'POST' as const, path: api.path, body: opened.body }
  return { turn: recorded?.turn ?? null, match, request: call }
}

/** Whom the client names as the one who asks, in OpenAI's words for it; the older one is `user`. */
function endUserOf({ safety_identifier: identifier, user }: ExchangeRequest['body']): string | null {
  const named = [identifier, user].find((value) => typeof value === 'string' && value !== '')
  return typeof named === 'string' ? named : null
}
