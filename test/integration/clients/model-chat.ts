import type { ServerResponse } from 'node:http'
import { DONE, sendJson, startSse } from '../../helper/upstream.ts'
import { type Answer, type JsonBody, pieces } from './model.ts'

const USAGE = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 }

/** One answer of the Chat Completions API: reasoning as vLLM has it, parallel calls in mingled pieces. */
export function chatAnswer(res: ServerResponse, body: JsonBody, answer: Answer, id: string): void {
  const base = { id: answer.id ?? `chatcmpl-${id}`, created: 1, model: body.model }
  const finish_reason = answer.calls ? 'tool_calls' : 'stop'
  if (body.stream !== true) {
    const message = {
      role: 'assistant',
      content: answer.text ?? null,
      refusal: answer.refusal ?? null,
      ...(answer.reasoning && { reasoning_content: answer.reasoning }),
      ...(answer.calls && {
        tool_calls: answer.calls.map(({ id, ...fn }) => ({ id, type: 'function', function: fn }))
      })
    }
    const choices = [{ index: 0, message, finish_reason, logprobs: null }]
    const usage = answer.usage === false ? {} : { usage: USAGE }
    return sendJson(res, 200, { ...base, object: 'chat.completion', choices, ...usage })
  }
  const chunk = (fields: object) =>
    `data: ${JSON.stringify({ ...base, object: 'chat.completion.chunk', ...fields })}\n\n`
  const delta = (delta: object, finish_reason: string | null = null) =>
    chunk({ choices: [{ index: 0, delta, finish_reason }] })
  startSse(res)
  res.write(delta({ role: 'assistant', content: answer.calls ? null : '' }))
  for (const piece of pieces(answer.reasoning ?? '')) res.write(delta({ reasoning_content: piece }))
  for (const piece of pieces(answer.text ?? '')) res.write(delta({ content: piece }))
  for (const piece of pieces(answer.refusal ?? '')) res.write(delta({ refusal: piece }))
  for (const tool_calls of mingled(answer)) res.write(delta({ tool_calls: [tool_calls] }))
  if (answer.endless) return
  res.write(delta({}, finish_reason))
  const wantsUsage = (body.stream_options as JsonBody | undefined)?.include_usage === true
  if (wantsUsage && answer.usage !== false) res.write(chunk({ choices: [], usage: USAGE }))
  res.end(DONE)
}

/** The pieces of all calls in turn. */
function mingled({ calls = [] }: Answer): object[] {
  const heads = calls.map(({ id, name }, index) => ({
    index,
    id,
    type: 'function',
    function: { name, arguments: '' }
  }))
  const parts = calls.map((call) => pieces(call.arguments))
  const rounds = Math.max(0, ...parts.map(({ length }) => length))
  const rest = Array.from({ length: rounds }, (_, round) =>
    parts.flatMap((part, index) => (part[round] ? [{ index, function: { arguments: part[round] } }] : []))
  )
  return [...heads, ...rest.flat()]
}
