import type { ServerResponse } from 'node:http'
import { sendJson, startSse } from '../../helper/upstream.ts'
import { type Answer, type JsonBody, pieces } from './model.ts'

type Item = JsonBody & { type: string; id: string }

/** One answer of the Responses API; what OpenAI repeats of a request, it repeats too. */
export function responseAnswer(res: ServerResponse, body: JsonBody, answer: Answer, id: string): void {
  const output = outputOf(answer, id, body)
  const begun = {
    id: `resp_${id}`,
    object: 'response',
    created_at: 1,
    status: 'in_progress',
    background: false,
    error: null,
    incomplete_details: null,
    instructions: body.instructions ?? null,
    max_output_tokens: null,
    model: body.model,
    output: [] as Item[],
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: null, summary: null },
    store: body.store,
    temperature: 1,
    text: body.text ?? { format: { type: 'text' } },
    tool_choice: 'auto',
    tools: body.tools ?? [],
    top_p: 1,
    truncation: 'disabled',
    usage: null,
    metadata: {}
  }
  const usage = {
    input_tokens: 5,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 2,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 7
  }
  const completed = { ...begun, status: 'completed', output, usage }
  if (body.stream !== true) return sendJson(res, 200, completed)

  let sequence_number = 0
  const write = (type: string, fields: object) => {
    res.write(`event: ${type}\ndata: ${JSON.stringify({ type, sequence_number, ...fields })}\n\n`)
    sequence_number += 1
  }
  startSse(res)
  write('response.created', { response: begun })
  write('response.in_progress', { response: begun })
  for (const [output_index, item] of output.entries()) {
    const at = { output_index, item_id: item.id }
    write('response.output_item.added', { output_index, item: emptied(item) })
    for (const [type, fields] of itemEvents(item)) write(type, { ...at, ...fields })
    if (answer.endless) return
    write('response.output_item.done', { output_index, item })
  }
  write('response.completed', { response: completed })
  res.end()
}

/** Reasoning is readable for a later request only where the client asked for it. */
function outputOf({ text, reasoning, refusal, calls = [] }: Answer, id: string, body: JsonBody): Item[] {
  const sealed = (body.include as string[] | undefined)?.includes('reasoning.encrypted_content')
  const content = [
    ...(text === undefined ? [] : [{ type: 'output_text', text, annotations: [], logprobs: [] }]),
    ...(refusal === undefined ? [] : [{ type: 'refusal', refusal }])
  ]
  const status = 'completed'
  const summary = [{ type: 'summary_text', text: reasoning }]
  return [
    ...(reasoning
      ? [{ type: 'reasoning', id: `rs_${id}`, summary, ...(sealed && { encrypted_content: 'sealed' }) }]
      : []),
    ...(content.length > 0 ? [{ type: 'message', id: `msg_${id}`, status, role: 'assistant', content }] : []),
    ...calls.map(({ id: call_id, ...fn }, index) => ({
      type: 'function_call',
      id: `fc_${id}_${index}`,
      call_id,
      status,
      ...fn
    }))
  ]
}

/** An item as it is announced. */
function emptied(item: Item): Item {
  if (item.type === 'message') return { ...item, status: 'in_progress', content: [] }
  if (item.type === 'function_call') return { ...item, status: 'in_progress', arguments: '' }
  return { ...item, summary: [] }
}

function itemEvents(item: Item): [type: string, fields: object][] {
  if (item.type === 'function_call') {
    const args = String(item.arguments)
    const deltas = pieces(args).map((delta): [string, object] => [
      'response.function_call_arguments.delta',
      { delta }
    ])
    return [...deltas, ['response.function_call_arguments.done', { arguments: args, name: item.name }]]
  }
  const summary = item.type === 'reasoning'
  const parts = (summary ? item.summary : item.content) as JsonBody[]
  return parts.flatMap((part, index) => {
    const at = summary ? { summary_index: index } : { content_index: index }
    const field = part.type === 'refusal' ? 'refusal' : 'text'
    const name = summary ? 'reasoning_summary_text' : part.type === 'refusal' ? 'refusal' : 'output_text'
    const frame = `response.${summary ? 'reasoning_summary_part' : 'content_part'}`
    const text = String(part[field])
    const logprobs = name === 'output_text' ? { logprobs: [] } : {}
    return [
      [`${frame}.added`, { ...at, part: { ...part, [field]: '' } }],
      ...pieces(text).map((delta): [string, object] => [
        `response.${name}.delta`,
        { ...at, delta, ...logprobs }
      ]),
      [`response.${name}.done`, { ...at, [field]: text, ...logprobs }],
      [`${frame}.done`, { ...at, part }]
    ]
  })
}
