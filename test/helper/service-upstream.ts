import type { ServerResponse } from 'node:http'
import fc from 'fast-check'
import type { JsonObject } from '../../storage/contract.ts'
import { itemsSaying, messagesSaying, type Said } from './said-model.ts'
import { sendJson, startSse, type UpstreamCallRecord } from './upstream.ts'

/** What an upstream makes of a request. */
export interface Answer {
  kind: 'text' | 'calls' | 'both' | 'refusal' | 'limited' | 'broken' | 'cut' | 'cut call' | 'cut early'
  words: string
  /** Some upstreams give many answers the same id. */
  sameId: boolean
}

export const WORDS = ['apple', 'birne', 'ciliegia', 'datte', 'étoile', '日本', 'figue']
export const words = fc
  .array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 3 })
  .map((list) => list.join(' '))

export const answer: fc.Arbitrary<Answer> = fc.record({
  kind: fc.constantFrom<Answer['kind'][]>(
    'text',
    'text',
    'text',
    'calls',
    'both',
    'refusal',
    'limited',
    'broken',
    'cut',
    'cut call',
    'cut early'
  ),
  words,
  sameId: fc.integer({ min: 0, max: 5 }).map((one) => one === 5)
})

const CALLS = ['call c0 {"q":1}', 'call c1 {}']

/** What comes of an answer, as far as it comes. */
export function saidBy({ kind, words: text }: Answer): Said[] {
  switch (kind) {
    case 'calls':
      return [...CALLS]
    case 'both':
      return [`assistant: ${text}`, ...CALLS]
    case 'refusal':
      return [`refusal: ${text}`]
    case 'cut call':
      return ['call c0 {"q']
    case 'text':
    case 'cut':
      return [`assistant: ${text}`]
    default:
      return []
  }
}

export function statusOf({ kind }: Answer): 'completed' | 'incomplete' | 'failed' {
  if (kind.startsWith('cut')) return 'incomplete'
  return kind === 'limited' || kind === 'broken' ? 'failed' : 'completed'
}

/** Gives the answer as its request asks for it, under `id`. */
export function giveAnswer(
  res: ServerResponse,
  { url, body }: UpstreamCallRecord,
  answer: Answer,
  id: string
): void {
  if (answer.kind === 'limited') return sendJson(res, 429, { error: { message: 'slow down' } })
  if (answer.kind === 'broken') return sendJson(res, 500, { error: { message: 'sorry' } })
  const { stream, model } = JSON.parse(body) as { stream?: boolean; model: string }
  const whole = statusOf(answer) === 'completed'
  const base = { id, model, created: 1, created_at: 1 }
  const isChat = url.endsWith('/chat/completions')
  if (!stream) return sendJson(res, 200, isChat ? toCompletion(base, answer) : toResponse(base, answer))
  startSse(res)
  const events = isChat ? chatEvents(base, answer) : responseEvents(base, answer)
  for (const event of events) res.write(`data: ${JSON.stringify(event)}\n\n`)
  res.end(whole && isChat ? 'data: [DONE]\n\n' : '')
}

function toCompletion(base: JsonObject, answer: Answer): JsonObject {
  const [message = {}] = messagesSaying(saidBy(answer))
  return { ...base, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }] }
}

function chatEvents(base: JsonObject, answer: Answer): JsonObject[] {
  const [message = {}] = messagesSaying(saidBy(answer))
  const calls = (message.tool_calls ?? []) as JsonObject[]
  const { content = null, refusal = null } = message
  const deltas: JsonObject[] = [
    { role: 'assistant' },
    ...(content === null ? [] : [...String(content)].map((letter) => ({ content: letter }))),
    ...(refusal === null ? [] : [{ refusal }]),
    ...calls.map((call, index) => ({ tool_calls: [{ index, ...call }] }))
  ]
  const end = statusOf(answer) === 'completed' ? [{ delta: {}, finish_reason: 'stop' }] : []
  return [...deltas.map((delta) => ({ delta, finish_reason: null })), ...end].map((choice) => ({
    ...base,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, ...choice }]
  }))
}

function toResponse(base: JsonObject, answer: Answer): JsonObject {
  const output = itemsSaying(saidBy(answer)).map((item, index) => ({
    ...item,
    id: `item_${index}`,
    ...(typeof item.content === 'string' && { content: [{ type: 'output_text', text: item.content }] })
  }))
  return { ...base, object: 'response', status: 'completed', output }
}

function responseEvents(base: JsonObject, answer: Answer): JsonObject[] {
  const response = toResponse(base, answer)
  const output = response.output as JsonObject[]
  const whole = statusOf(answer) === 'completed'
  const items = output.flatMap((item, output_index) => [
    { type: 'response.output_item.added', output_index, item },
    ...(whole ? [{ type: 'response.output_item.done', output_index, item }] : [])
  ])
  const begun = { ...response, status: 'in_progress', output: [] }
  const end = whole ? [{ type: 'response.completed', response }] : []
  return [{ type: 'response.created', response: begun }, ...items, ...end]
}
