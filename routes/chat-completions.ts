import { type Static, Type } from 'typebox'
import { ApiError } from '../errors.ts'
import { createChatAnswer } from '../plugins/proxy/chat-answer.ts'
import { continueChat, readQuestion } from '../plugins/proxy/chat-question.ts'
import { editedBody, editedList } from '../plugins/proxy/request-body.ts'
import type { JsonObject } from '../storage/contract.ts'
import { ExchangeHeaders, type ExchangeOptions, openExchange } from './exchange.ts'
import { replayChat } from './replay.ts'
import { identityOf } from './request-identity.ts'
import type { RoutePlugin } from './route-plugin.ts'
import { ConversationReference, Metadata, Nullish } from './shapes.ts'
import { type Thread, targetOf } from './thread.ts'

const Message = Type.Object({ role: Type.String() }, { additionalProperties: true })

/** What is ours to check; every other field is the upstream's business. */
const Body = Type.Object(
  {
    messages: Type.Array(Message, { minItems: 1 }),
    model: Type.Optional(Type.String({ maxLength: 256 })),
    stream: Nullish(Type.Boolean()),
    n: Nullish(Type.Integer({ minimum: 1, maximum: 128 })),
    store: Nullish(Type.Boolean()),
    metadata: Nullish(Metadata),
    conversation: Nullish(ConversationReference),
    conversation_id: Nullish(Type.String())
  },
  { additionalProperties: true }
)
type Body = Static<typeof Body>

/** Fields that are ours to act on and not for the upstream to see. */
const OWN_FIELDS = ['store', 'metadata', 'conversation', 'conversation_id']

/** `POST /v1/chat/completions`: the answer of the upstream, kept as one turn. */
const chatCompletions: RoutePlugin<ExchangeOptions> = async (app, options) => {
  app.post(
    '/chat/completions',
    { schema: { body: Body, headers: ExchangeHeaders } },
    async (request, reply) => {
      const { body, headers, sessionId } = request
      const raw = request.rawBody ?? Buffer.alloc(0)
      await app.relay(reply, {
        async begin() {
          const { recorded, body: forwarded } = await openExchange(app, {
            kind: 'chat',
            sessionId,
            target: targetOf(body, headers),
            parentSeq: headers['x-parent-seq'] ?? null,
            recorded: options.persist && body.store !== false,
            model: body.model ?? options.defaultModel ?? null,
            metadata: body.metadata ?? {},
            identity: identityOf(request),
            prepare: (thread) => prepare(raw, body, thread, options.defaultModel)
          })
          if (recorded?.outcome === 'known') {
            replayChat(reply, recorded.turn, body)
            return null
          }
          const call = { method: 'POST' as const, path: '/chat/completions', body: forwarded }
          return { turn: recorded?.turn ?? null, request: call }
        },
        reader: createChatAnswer(body.n ?? 1),
        onDisconnect: headers['x-on-disconnect'] ?? options.onDisconnect
      })
    }
  )
}

export default chatCompletions

function prepare(raw: Buffer, body: Body, thread: Thread, defaultModel: string | undefined) {
  const messages = body.messages as JsonObject[]
  const model = 'model' in body || defaultModel === undefined ? {} : { model: JSON.stringify(defaultModel) }
  if (thread.path === null) {
    const question = readQuestion(messages, thread.conversationId !== null)
    return { question, body: editedBody(raw, body, { remove: OWN_FIELDS, set: model }) }
  }
  const continuation = continueChat(messages, thread.path)
  if (continuation === null) {
    const message = "Invalid 'messages': all of them are in the conversation already."
    throw new ApiError(400, 'invalid_value', message, { param: 'messages' })
  }
  const { messages: sent, ...question } = continuation
  const set = { ...model, messages: editedList(raw, 'messages', sent) }
  return { question, body: editedBody(raw, body, { remove: OWN_FIELDS, set }) }
}
