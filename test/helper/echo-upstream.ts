import type { ServerResponse } from 'node:http'
import type { JsonObject } from '../../storage/contract.ts'
import { textOf } from '../../storage/json-value.ts'
import { eventsOf } from '../fixtures/responses/events.ts'
import { completion, DONE, delta, finish, sendJson, startSse, type UpstreamScript } from './upstream.ts'

/** Answers `re: ` and the last thing that was said, in both protocols, as a stream or as JSON, under ids of its own. */
export function echo(): UpstreamScript {
  let count = 0
  return (res, call) => {
    count += 1
    const body = JSON.parse(call.body)
    if (call.url === '/v1/responses') return sendResponse(res, body, echoOf(body.input, count))
    sendChat(res, body, `re: ${lastText(body.messages)}`, `chatcmpl-${count}`)
  }
}

export function sendChat(res: ServerResponse, body: { stream?: boolean }, text: string, id: string): void {
  const named = (event: string) => event.replaceAll('chatcmpl-test', id)
  if (!body.stream) return sendJson(res, 200, { ...completion(text), id })
  startSse(res)
  res.end(named(delta({ role: 'assistant', content: text }) + finish()) + DONE)
}

/** Answers with this response, as the request asks for it. */
export function sendResponse(res: ServerResponse, body: { stream?: boolean }, response: JsonObject): void {
  if (!body.stream) return sendJson(res, 200, response)
  startSse(res)
  res.end(responseStream(response))
}

export function responseStream(response: JsonObject): string {
  return eventsOf(response).map(toSse).join('')
}

export function toSse(event: JsonObject): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}

/** A response that says `text`, or has these items. */
export function responseOf(id: string, said: string | JsonObject[], more: JsonObject = {}): JsonObject {
  const content = [{ type: 'output_text', text: said as string, annotations: [], logprobs: [] }]
  const message = { id: `msg_${id}`, type: 'message', role: 'assistant', status: 'completed', content }
  return {
    id,
    object: 'response',
    created_at: 1,
    status: 'completed',
    error: null,
    incomplete_details: null,
    instructions: null,
    model: 'm-answered',
    output: typeof said === 'string' ? [message] : said,
    parallel_tool_calls: true,
    tool_choice: 'auto',
    tools: [],
    store: false,
    previous_response_id: null,
    metadata: {},
    usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
    ...more
  }
}

function echoOf(input: string | JsonObject[], count: number): JsonObject {
  return responseOf(`resp_${count}`, `re: ${typeof input === 'string' ? input : lastText(input)}`)
}

function lastText(entries: JsonObject[]): string {
  const last = entries.at(-1)
  return textOf(last?.content ?? last?.output, '') ?? ''
}
