import { responseOf, responseStream } from '../../helper/echo-upstream.ts'
import { type ScriptedUpstream, sendJson, startSse, type UpstreamScript } from '../../helper/upstream.ts'

/** Always answers at once and well, whatever it is asked. */
export function wellBehaved(upstream: () => ScriptedUpstream): UpstreamScript {
  let count = 0
  return (res, call) => {
    upstream().calls.length = 0 // there will be many
    count += 1
    const body = fieldsOf(call.body)
    if (call.method === 'HEAD') return void res.end()
    if (call.url.startsWith('/v1/responses')) {
      const response = responseOf(`resp_${count}`, 'Hello')
      if (!body.stream) return sendJson(res, 200, response)
      startSse(res)
      return void res.end(responseStream(response))
    }
    if (!call.url.startsWith('/v1/chat')) return sendJson(res, 200, { object: 'list', data: [] })
    const base = { id: `chatcmpl-${count}`, created: 1, model: 'm' }
    const choices = Array.from({ length: Number(body.n ?? 1) }, (_, index) => index)
    const said = { role: 'assistant', content: 'Hello' }
    const choicesOf = (place: 'message' | 'delta') =>
      choices.map((index) => ({ index, [place]: said, finish_reason: 'stop' }))
    if (!body.stream)
      return sendJson(res, 200, { ...base, object: 'chat.completion', choices: choicesOf('message') })
    startSse(res)
    const chunk = { ...base, object: 'chat.completion.chunk', choices: choicesOf('delta') }
    res.end(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`)
  }
}

function fieldsOf(body: string): { stream?: unknown; n?: unknown } {
  try {
    return JSON.parse(body) ?? {}
  } catch {
    return {} // of an embedding's body nobody has read a word
  }
}
