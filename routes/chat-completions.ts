import { type Static, Type } from 'typebox'
import { ApiError, conversationNotFound } from '../errors.ts'
import { createChatAnswer } from '../plugins/proxy/chat-answer.ts'
import { readQuestion } from '../plugins/proxy/chat-question.ts'
import { upstreamBody } from '../plugins/proxy/request-body.ts'
import type { JsonObject } from '../storage/contract.ts'
import { isId } from '../storage/ids.ts'
import type { TurnRef } from '../storage/persistence.ts'
import { StoreError } from '../storage/store-error.ts'
import type { RoutePlugin } from './route-plugin.ts'

const Message = Type.Object({ role: Type.String() }, { additionalProperties: true })
const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Optional(Type.Union([schema, Type.Null()]))

/** What is ours to check; every other field is the upstream's business. */
const Body = Type.Object(
  {
    messages: Type.Array(Message, { minItems: 1 }),
    model: Type.Optional(Type.String({ maxLength: 256 })),
    stream: Nullable(Type.Boolean()),
    n: Nullable(Type.Integer({ minimum: 1, maximum: 128 })),
    store: Nullable(Type.Boolean()),
    conversation_id: Nullable(Type.String())
  },
  { additionalProperties: true }
)
const Headers = Type.Object({
  'x-conversation-id': Type.Optional(Type.String()),
  'x-parent-seq': Type.Optional(Type.Integer({ minimum: 0, maximum: 2_147_483_647 })),
  'x-on-disconnect': Type.Optional(Type.Union([Type.Literal('abort'), Type.Literal('finish')]))
})
type Request = { body: Static<typeof Body>; headers: Static<typeof Headers>; sessionId: string }

interface ChatOptions {
  /** For requests that name no model. */
  defaultModel: string | undefined
  /** Whether exchanges are recorded at all. */
  persist: boolean
  /** For requests without `x-on-disconnect`. */
  onDisconnect: 'abort' | 'finish'
}

/** `POST /v1/chat/completions`: the answer of the upstream, kept as one turn. */
const chatCompletions: RoutePlugin<ChatOptions> = async (app, options) => {
  app.post('/chat/completions', { schema: { body: Body, headers: Headers } }, async (request, reply) => {
    const { body, headers, rawBody } = request
    const forwarded = upstreamBody(rawBody ?? Buffer.alloc(0), body, options.defaultModel)
    await app.relay(reply, {
      begin: () => begin(request),
      request: { method: 'POST', path: '/chat/completions', body: forwarded },
      reader: createChatAnswer(body.n ?? 1),
      onDisconnect: headers['x-on-disconnect'] ?? options.onDisconnect
    })
  })

  /** Write 1. Null when nothing is to be recorded; the conversation must exist all the same. */
  async function begin(request: Request): Promise<TurnRef | null> {
    const { body, headers, sessionId } = request
    const conversationId = conversationOf(request)
    const question = readQuestion(body.messages as JsonObject[], conversationId !== null)
    if (conversationId !== null && !isId('conv', conversationId)) throw conversationNotFound()
    if (!options.persist || body.store === false) {
      if (conversationId !== null && !(await app.store.getConversation(sessionId, conversationId))) {
        throw conversationNotFound()
      }
      return null
    }
    const turn = await app.persistence
      .recordUserMessage({
        sessionId,
        conversationId,
        parentSeq: headers['x-parent-seq'] ?? null,
        model: body.model ?? options.defaultModel ?? null,
        ...question
      })
      .catch(explainParent)
    if (!turn) throw conversationNotFound()
    return turn
  }
}

export default chatCompletions

/** The conversation that the client files the turn in, null for a new one. */
function conversationOf({ body, headers }: Request): string | null {
  if ('conversation' in body && body.conversation !== null) {
    const message = "'conversation' is not supported yet: send the history yourself, and x-conversation-id."
    throw new ApiError(400, 'unsupported_parameter', message, { param: 'conversation' })
  }
  const named = headers['x-conversation-id']
  if (named !== undefined && body.conversation_id && named !== body.conversation_id) {
    const message = "'conversation_id' and the header x-conversation-id name different conversations."
    throw new ApiError(400, 'invalid_value', message, { param: 'conversation_id' })
  }
  return named ?? body.conversation_id ?? null
}

function explainParent(err: unknown): never {
  if (!(err instanceof StoreError) || err.code !== 'PARENT_INVALID') throw err
  throw new ApiError(400, 'invalid_value', `Invalid 'x-parent-seq': ${err.message}.`, {
    param: 'x-parent-seq'
  })
}
