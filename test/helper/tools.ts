import { completion, DONE, delta, finish, sendJson, startSse, type UpstreamScript } from './upstream.ts'

export interface ToolCall {
  id: string
  type: 'function'
  function: { name: string; arguments: string }
}

export function toolCall(id: string, name: string, args = '{}'): ToolCall {
  return { id, type: 'function', function: { name, arguments: args } }
}

export function toolResult(id: string, content: unknown = `result of ${id}`) {
  return { role: 'tool', tool_call_id: id, content }
}

export function calling(...calls: ToolCall[]) {
  return { role: 'assistant', content: null, tool_calls: calls }
}

/** Answers with these calls, as the request asks for it; a stream brings them in pieces that alternate. */
export function callTools(...calls: ToolCall[]): UpstreamScript {
  return (res, { body }) => {
    if (JSON.parse(body).stream !== true) {
      return sendJson(res, 200, completion(null, { tool_calls: calls }))
    }
    startSse(res)
    res.end(piecesOf(calls) + finish('tool_calls') + DONE)
  }
}

/** The deltas of calls, three characters of their arguments at a time, by turns. */
export function piecesOf(calls: ToolCall[]): string {
  const pieces = calls.map(({ id, type, function: { name, arguments: args } }, index) => [
    { index, id, type, function: { name, arguments: '' } },
    ...(args.match(/.{1,3}/gsu) ?? []).map((piece) => ({ index, function: { arguments: piece } }))
  ])
  const longest = Math.max(...pieces.map((list) => list.length))
  const deltas = Array.from({ length: longest }, (_, i) => pieces.flatMap((list) => list[i] ?? []))
  return deltas
    .flat()
    .map((piece) => delta({ tool_calls: [piece] }))
    .join('')
}
