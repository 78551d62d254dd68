import { newId } from '../../storage/ids.ts'
import { DEMO_MODEL, type DemoRequest, usageOf } from './answers.ts'
import type { StreamedAnswer } from './stream.ts'

/** What of a request its response repeats, and what it says when the request did not. */
const ECHOED = {
  background: false,
  instructions: null,
  max_output_tokens: null,
  max_tool_calls: null,
  metadata: {},
  parallel_tool_calls: true,
  previous_response_id: null,
  reasoning: { effort: null, summary: null },
  store: true,
  temperature: 1,
  text: { format: { type: 'text' } },
  tool_choice: 'auto',
  tools: [],
  top_logprobs: 0,
  top_p: 1,
  truncation: 'disabled'
}

export interface ResponsesRequest extends DemoRequest {
  echoed: object
}

/** Reads a request of the Responses API as far as the demo needs it. Null when it has no input. */
export function readResponsesRequest(body: unknown): ResponsesRequest | null {
  const request = (body ?? {}) as Record<string, unknown>
  const { input, instructions } = request
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : input
  if (!Array.isArray(items) || items.length === 0) return null
  const before = typeof instructions === 'string' ? [{ role: 'developer', content: instructions }] : []
  const given = Object.entries(ECHOED).map(([name, plain]) => [name, request[name] ?? plain])
  const messages = items.map(toMessage)
  return {
    messages: [...before, ...messages],
    newest: messages.findLast(({ role }) => role === 'user'),
    stream: request.stream === true,
    includeUsage: true,
    echoed: Object.fromEntries(given)
  }
}

/** An input item as a message; one of another kind counts as a message without a role. */
function toMessage(item: unknown): DemoRequest['messages'][number] {
  const { role, content } = (item ?? {}) as { role?: unknown; content?: unknown }
  return typeof role === 'string' ? { role, content } : { role: '', content: item }
}

/** The whole response, as it is answered when nobody asked for a stream. */
export function responseOf(request: ResponsesRequest, answer: string) {
  return completed(request, begin(request), answer)
}

/** The response as the official sequence of events. */
export function streamedResponse(request: ResponsesRequest, answer: string): StreamedAnswer {
  const response = begin(request)
  const done = completed(request, response, answer)
  const [message] = done.output
  const [part] = message.content
  const at = { item_id: message.id, output_index: 0, content_index: 0 }
  let sequence = 0
  const event = (type: string, fields: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...fields })}\n\n`

  const start = [
    event('response.created', { response }),
    event('response.in_progress', { response }),
    event('response.output_item.added', {
      output_index: 0,
      item: { ...message, status: 'in_progress', content: [] }
    }),
    event('response.content_part.added', { ...at, part: { ...part, text: '' } })
  ].join('')
  return {
    answer,
    start,
    piece: (delta) => event('response.output_text.delta', { ...at, delta, logprobs: [] }),
    // Made when it is read, because its numbers follow those of the pieces.
    get end() {
      return [
        event('response.output_text.done', { ...at, text: answer, logprobs: [] }),
        event('response.content_part.done', { ...at, part }),
        event('response.output_item.done', { output_index: 0, item: message }),
        event('response.completed', { response: done })
      ].join('')
    }
  }
}

function begin({ echoed }: ResponsesRequest) {
  return {
    id: newId('turn').replace('turn', 'resp'),
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    status: 'in_progress',
    error: null,
    incomplete_details: null,
    model: DEMO_MODEL,
    output: [],
    service_tier: 'default',
    ...echoed
  }
}

function completed(request: ResponsesRequest, response: ReturnType<typeof begin>, answer: string) {
  const part = { type: 'output_text', annotations: [], logprobs: [], text: answer }
  const id = response.id.replace('resp', 'msg')
  const message = { id, type: 'message', status: 'completed', role: 'assistant', content: [part] as const }
  const { prompt_tokens, completion_tokens, total_tokens } = usageOf(request, answer)
  return {
    ...response,
    status: 'completed',
    completed_at: Math.floor(Date.now() / 1000),
    output: [message] as const,
    usage: {
      input_tokens: prompt_tokens,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      output_tokens: completion_tokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens
    }
  }
}
