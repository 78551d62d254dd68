import { type Static, Type } from 'typebox'
import { ApiError } from '../errors.ts'
import { createChatAnswer } from '../plugins/proxy/chat-answer.ts'
import { continueChat, readQuestion } from '../plugins/proxy/chat-question.ts'
import { editedBody, editedList } from '../plugins/proxy/request-body.ts'
import type { JsonObject } from '../storage/contract.ts'
import { CompletionView } from './completion-shape.ts'
import { ExchangeHeaders, type ExchangeOptions, exchangeAnswer, startExchange } from './exchange.ts'
import { replayChat } from './replay.ts'
import type { RoutePlugin } from './route-plugin.ts'
import { ConversationReference, Metadata, Nullish, verbatim } from './shapes.ts'
import type { Thread } from './thread.ts'

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
  { title: 'ChatCompletionRequest', additionalProperties: true }
)
type Body = Static<typeof Body>

/** Fields that are ours to act on and not for the upstream to see. */
const OWN_FIELDS = ['store', 'metadata', 'conversation', 'conversation_id']

/** `POST /v1/chat/completions`: the answer of the upstream, kept as one turn. */
const chatCompletions: RoutePlugin<ExchangeOptions> = async (app, options) => {
  app.post(
    '/chat/completions',
    {
      serializerCompiler: verbatim,
      schema: {
        operationId: 'createChatCompletion',
        summary: 'Chat, as a stream or as JSON; recorded as one turn',
        tags: ['Chat'],
        body: Body,
        headers: ExchangeHeaders,
        response: { 200: exchangeAnswer(CompletionView) }
      }
    },
    async (request, reply) => {
      const { body, headers } = request
      const raw = request.rawBody ?? Buffer.alloc(0)
      await app.relay(reply, {
        begin: () =>
          startExchange(app, options, request, {
            kind: 'chat',
            entries: body.messages as JsonObject[],
            path: '/chat/completions',
            prepare: (thread, set) => prepare(raw, body, thread, set),
            replay: (turn) => replayChat(reply, turn, body)
          }),
        reader: createChatAnswer(body.n ?? 1),
        onDisconnect: headers['x-on-disconnect'] ?? options.onDisconnect
      })
    }
  )
}

export default chatCompletions

function prepare(raw: Buffer, body: Body, thread: Thread, missing: Record<string, string>) {
  const messages = body.messages as JsonObject[]
  if (thread.path === null) {
    const question = readQuestion(messages, thread.known)
    return { question, body: editedBody(raw, body, { remove: OWN_FIELDS, set: missing }) }
  }
  const continuation = continueChat(messages, thread.path)
  if (continuation === null) {
    const message = "Invalid 'messages': all of them are in the conversation already."
    throw new ApiError(400, 'invalid_value', message, { param: 'messages' })
  }
  const { messages: sent, ...question } = continuation
  const set = { ...missing, messages: editedList(raw, 'messages', sent) }
  return { question, body: editedBody(raw, body, { remove: OWN_FIELDS, set }) }
}
