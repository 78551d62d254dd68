import { type Static, Type } from 'typebox'
import { ApiError } from '../errors.ts'
import type { Notice } from '../plugins/proxy/endings.ts'
import { editedBody, editedList } from '../plugins/proxy/request-body.ts'
import { createResponseAnswer } from '../plugins/proxy/response-answer.ts'
import { continueResponse, inputList, readInput } from '../plugins/proxy/response-question.ts'
import type { JsonObject } from '../storage/contract.ts'
import { canBeSent } from '../storage/dialogue/history.ts'
import { ExchangeHeaders, type ExchangeOptions, exchangeAnswer, startExchange } from './exchange.ts'
import { replayResponse } from './replay.ts'
import { ResponseView } from './response-shape.ts'
import type { RoutePlugin } from './route-plugin.ts'
import { ConversationReference, Metadata, Nullish, verbatim } from './shapes.ts'
import type { Thread } from './thread.ts'

const Item = Type.Object({ type: Type.Optional(Type.String()) }, { additionalProperties: true })

/** What is ours to check; every other field is the upstream's business. */
const Body = Type.Object(
  {
    input: Nullish(Type.Union([Type.String(), Type.Array(Item)])),
    model: Type.Optional(Type.String({ maxLength: 256 })),
    stream: Nullish(Type.Boolean()),
    background: Nullish(Type.Boolean()),
    store: Nullish(Type.Boolean()),
    metadata: Nullish(Metadata),
    previous_response_id: Nullish(Type.String()),
    conversation: Nullish(ConversationReference),
    conversation_id: Nullish(Type.String())
  },
  { title: 'ResponseRequest', additionalProperties: true }
)
type Body = Static<typeof Body>

/** Fields that are ours to act on and not for the upstream to see. */
const OWN_FIELDS = ['metadata', 'previous_response_id', 'conversation', 'conversation_id', 'background']

/** `POST /v1/responses`: the answer of the upstream, kept as one turn. */
const responses: RoutePlugin<ExchangeOptions> = async (app, options) => {
  const schema = {
    operationId: 'createResponse',
    summary: 'The Responses API, as a stream or as JSON; recorded as one turn',
    tags: ['Responses'],
    body: Body,
    headers: ExchangeHeaders,
    response: { 200: exchangeAnswer(ResponseView) }
  }
  app.post('/responses', { serializerCompiler: verbatim, schema }, async (request, reply) => {
    const { body, headers } = request
    const raw = request.rawBody ?? Buffer.alloc(0)
    if (body.background === true) {
      const message = "'background' is not supported: leave it out, and stream or wait for the answer."
      throw new ApiError(400, 'unsupported_parameter', message, { param: 'background' })
    }
    await app.relay(reply, {
      begin: () =>
        startExchange(app, options, request, {
          kind: 'response',
          entries: inputList(body.input as string | JsonObject[] | null | undefined),
          path: '/responses',
          prepare: (thread, set) => prepare(raw, body, thread, set),
          replay: (turn) => replayResponse(reply, turn, body)
        }),
      reader: createResponseAnswer(),
      onDisconnect: headers['x-on-disconnect'] ?? options.onDisconnect,
      explainError: explainMissing
    })
  })
}

export default responses

/** The upstream keeps nothing: what it is to know, it is sent. */
function prepare(raw: Buffer, body: Body, thread: Thread, missing: Record<string, string>) {
  const items = inputList(body.input as string | JsonObject[] | null | undefined)
  const set = { ...missing, store: 'false' }
  const own = (entry: JsonObject | number) => (typeof entry === 'number' ? (items[entry] ?? {}) : entry)
  // Clients name reasoning by an id that the upstream would know, had it kept anything.
  const sendable = (entry: JsonObject | number) => canBeSent(own(entry), 'response')
  if (thread.path === null) {
    const question = readInput(items, thread.known)
    const kept = [...items.keys()].filter(sendable)
    const input = kept.length < items.length ? { input: editedList(raw, 'input', kept) } : {}
    return { question, body: editedBody(raw, body, { remove: OWN_FIELDS, set: { ...set, ...input } }) }
  }
  const continuation = continueResponse(items, thread.path)
  if (continuation === null) {
    const message = "Invalid 'input': it says nothing that is not in the conversation already."
    throw new ApiError(400, 'invalid_value', message, { param: 'input' })
  }
  const { items: all, ...question } = continuation
  const sent = all.filter(sendable)
  const input = Array.isArray(body.input) ? editedList(raw, 'input', sent) : JSON.stringify(sent.map(own))
  return { question, body: editedBody(raw, body, { remove: OWN_FIELDS, set: { ...set, input } }) }
}

/** An upstream that has no Responses API answers 404, as it does for a model that it does not have. */
function explainMissing(statusCode: number, body: string): Notice | null {
  if (statusCode !== 404 || /model/i.test(body)) return null
  return {
    statusCode: 404,
    code: 'responses_unsupported',
    message:
      'The upstream has no Responses API (it answered 404). Use /v1/chat/completions, or an upstream that has one.'
  }
}
