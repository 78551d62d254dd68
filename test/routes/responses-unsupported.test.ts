import t from 'tap'
import { isErrorReply } from '../helper/request.ts'
import { startStateful } from '../helper/stateful.ts'
import { sendJson, type UpstreamScript } from '../helper/upstream.ts'

const text =
  (status: number, type: string, body: string): UpstreamScript =>
  (res) => {
    res.writeHead(status, { 'content-type': type }).end(body)
  }

/** How servers without a Responses API say so. */
const MISSING: Record<string, UpstreamScript> = {
  vLLM: text(404, 'application/json', '{"detail":"Not Found"}'),
  'llama.cpp': text(
    404,
    'application/json; charset=utf-8',
    '{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}'
  ),
  Ollama: text(404, 'text/plain', '404 page not found'),
  'LM Studio': text(
    404,
    'application/json',
    '{"error":"Unexpected endpoint or method. (POST /v1/responses)"}'
  ),
  Express: text(404, 'text/html', '<pre>Cannot POST /v1/responses</pre>'),
  nothing: text(404, 'text/plain', '')
}

for (const [name, script] of Object.entries(MISSING)) {
  t.test(`an upstream without the Responses API is a 404 that says so: ${name}`, async (t) => {
    const { respond, turnsOf } = await startStateful(t, {}, script)
    for (const stream of [true, false]) {
      const res = await respond('Hi', { stream })
      isErrorReply(t, res, 404, { code: 'responses_unsupported', param: null }, name)
      t.match(res.headers.get('content-type'), /^application\/json/)
      const turns = await turnsOf(res.headers.get('x-conversation-id') ?? '')
      t.match(turns, [{ status: 'failed', error: 'upstream_error' }])
    }
  })
}

t.test('a model that is not there, and every other error, stays as it came', async (t) => {
  const { respond, upstream } = await startStateful(t)
  const bodies: [status: number, body: object][] = [
    [
      404,
      { error: { message: "The model 'x' does not exist", type: 't', param: null, code: 'model_not_found' } }
    ],
    [404, { error: 'model "x" not found, try pulling it first' }],
    [404, { object: 'error', message: 'The model `x` does not exist.', code: 404 }],
    [405, { detail: 'Method Not Allowed' }],
    [400, { error: { message: 'Not Found' } }],
    [501, { error: { message: 'not implemented' } }]
  ]
  for (const [status, body] of bodies) {
    upstream.script = (res) => sendJson(res, status, body)
    const res = await respond('Hi')
    t.strictSame([res.status, res.json], [status, body])
  }
})

t.test('a 404 of chats stays as it came', async (t) => {
  const { chat } = await startStateful(t, {}, MISSING.vLLM)
  const res = await chat()
  t.strictSame([res.status, await res.text()], [404, '{"detail":"Not Found"}'])
})
