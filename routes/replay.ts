import type { FastifyReply } from 'fastify'
import type { Json, JsonObject, Turn } from '../storage/contract.ts'
import { isObject } from '../storage/json-value.ts'
import { toCompletion } from './completion-shape.ts'
import { toResponse } from './response-shape.ts'

/** Answers a chat request from the turn that it made before: as a stream, or as JSON. */
export function replayChat(
  reply: FastifyReply,
  turn: Turn,
  body: { stream?: boolean | null; stream_options?: unknown }
): void {
  const completion = toCompletion(turn)
  const options = body.stream_options as { include_usage?: unknown } | null | undefined
  if (!body.stream) return send(reply, turn, completion)
  const events = chatEvents(completion, options?.include_usage === true)
  sendStream(reply, turn, [...events.map(toEvent), 'data: [DONE]\n\n'])
}

/** The same for a request of the Responses API. */
export function replayResponse(reply: FastifyReply, turn: Turn, body: { stream?: boolean | null }): void {
  const response = toResponse(turn, null)
  if (!body.stream) return send(reply, turn, response)
  sendStream(reply, turn, responseEvents(response).map(toEvent))
}

function send(reply: FastifyReply, turn: Turn, body: JsonObject): void {
  name(reply, turn).send(body)
}

function sendStream(reply: FastifyReply, turn: Turn, events: string[]): void {
  name(reply, turn).type('text/event-stream; charset=utf-8').send(events.join(''))
}

function name(reply: FastifyReply, turn: Turn): FastifyReply {
  reply.request.logFields = { turn: turn.id, replayed: true }
  return reply.headers({
    'idempotent-replayed': 'true',
    'x-conversation-id': turn.conversationId,
    'x-turn-id': turn.id,
    'x-turn-seq': String(turn.seq)
  })
}

function toEvent(event: JsonObject): string {
  const name = typeof event.type === 'string' ? `event: ${event.type}\n` : ''
  return `${name}data: ${JSON.stringify(event)}\n\n`
}

/** The chunks of a completion: one with all that each choice says, one with its end. */
function chatEvents(completion: JsonObject, includeUsage: boolean): JsonObject[] {
  const { id, created, model, usage = null } = completion
  const base = {
    id: id ?? null,
    object: 'chat.completion.chunk',
    created: created ?? null,
    model: model ?? null
  }
  const choices = (completion.choices as JsonObject[]).flatMap(({ index, message, finish_reason }) => [
    { index, delta: toDelta(message as JsonObject), finish_reason: null },
    { index, delta: {}, finish_reason }
  ])
  const chunks = choices.map((choice) => ({ ...base, choices: [choice as JsonObject] }))
  return includeUsage ? [...chunks, { ...base, choices: [], usage }] : chunks
}

function toDelta(message: JsonObject): JsonObject {
  const said = Object.entries(message).filter(([, value]) => value !== null)
  const delta: JsonObject = Object.fromEntries(said)
  if (!Array.isArray(delta.tool_calls)) return delta
  return {
    ...delta,
    tool_calls: delta.tool_calls.filter(isObject).map((call, index) => ({ index, ...call }))
  }
}

/** The events of a response in the order in which OpenAI sends them; each text in one piece. */
function responseEvents(response: JsonObject): JsonObject[] {
  const output = Array.isArray(response.output) ? response.output.filter(isObject) : []
  const begun = { ...response, status: 'in_progress', output: [] }
  const end = response.status === 'incomplete' ? 'response.incomplete' : 'response.completed'
  const events: JsonObject[] = [
    { type: 'response.created', response: begun },
    { type: 'response.in_progress', response: begun },
    ...output.flatMap(itemEvents),
    { type: end, response }
  ]
  return events.map((event, index) => ({ ...event, sequence_number: index }))
}

function itemEvents(item: JsonObject, index: number): JsonObject[] {
  const place = { output_index: index }
  const named = { ...place, item_id: item.id ?? null }
  const added = beginningOf(item)
  return [
    { type: 'response.output_item.added', ...place, item: added },
    ...(item.type === 'message' && Array.isArray(item.content)
      ? item.content.filter(isObject).flatMap((part, at) => partEvents({ ...named, content_index: at }, part))
      : []),
    ...(item.type === 'function_call' ? argumentEvents(named, item.arguments ?? '') : []),
    { type: 'response.output_item.done', ...place, item }
  ]
}

/** An item before the pieces that follow it: clients add those to what it has. */
function beginningOf(item: JsonObject): JsonObject {
  if (item.type === 'message') return { ...item, status: 'in_progress', content: [] }
  if (item.type === 'function_call') return { ...item, status: 'in_progress', arguments: '' }
  return item
}

function partEvents(place: JsonObject, part: JsonObject): JsonObject[] {
  const field = part.type === 'refusal' ? 'refusal' : 'text'
  const kind = part.type === 'refusal' ? 'response.refusal' : 'response.output_text'
  const text = part[field] ?? ''
  return [
    { type: 'response.content_part.added', ...place, part: { ...part, [field]: '' } },
    { type: `${kind}.delta`, ...place, delta: text, ...(field === 'text' && { logprobs: [] }) },
    { type: `${kind}.done`, ...place, [field]: text, ...(field === 'text' && { logprobs: [] }) },
    { type: 'response.content_part.done', ...place, part }
  ]
}

function argumentEvents(place: JsonObject, args: Json): JsonObject[] {
  return [
    { type: 'response.function_call_arguments.delta', ...place, delta: args },
    { type: 'response.function_call_arguments.done', ...place, arguments: args }
  ]
}
