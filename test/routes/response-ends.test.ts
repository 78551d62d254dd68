import t, { type Test } from 'tap'
import { responseOf, responseStream, sendResponse, toSse } from '../helper/echo-upstream.ts'
import { startStateful } from '../helper/stateful.ts'
import { sendJson, startSse, type UpstreamScript } from '../helper/upstream.ts'

const WHOLE = responseStream(responseOf('resp_x', 'Hello'))
const HALF = WHOLE.slice(0, WHOLE.indexOf('event: response.output_text.done'))
const FAILED = responseOf('resp_x', [], { status: 'failed', error: { code: 'server_error', message: 'no' } })
const INCOMPLETE = responseOf('resp_x', 'Hel', {
  status: 'incomplete',
  incomplete_details: { reason: 'max_output_tokens' }
})
const answering =
  (response: ReturnType<typeof responseOf>): UpstreamScript =>
  (res, call) =>
    sendResponse(res, JSON.parse(call.body), response)
const streaming =
  (text: string): UpstreamScript =>
  (res) => {
    startSse(res)
    res.end(text)
  }

interface End {
  name: string
  script: UpstreamScript
  stream: boolean
  turn: object
  /** What the stored response says, null when there is none. */
  stored: object | null
  seen: RegExp
}

const TRUNCATED = {
  status: 'incomplete',
  error: 'upstream_truncated',
  assistant_text: 'Hello',
  completion_id: 'resp_x'
}
const HELLO = { status: 'incomplete', output: [{ content: [{ text: 'Hello' }] }] }
const ENDS: End[] = [
  ...[true, false].flatMap((stream): End[] => [
    {
      name: 'response.incomplete',
      script: answering(INCOMPLETE),
      stream,
      turn: { status: 'completed', finish_reason: 'max_output_tokens', assistant_text: 'Hel', error: null },
      stored: { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } },
      seen: /max_output_tokens/
    },
    {
      name: 'response.failed',
      script: answering(FAILED),
      stream,
      turn: { status: 'failed', error: 'upstream_error', assistant_text: null },
      stored: null,
      seen: /"status":"failed"/
    }
  ]),
  {
    name: 'an error event',
    script: streaming(
      `${HALF}${toSse({ type: 'error', code: 'x', message: 'no', param: null, sequence_number: 9 })}`
    ),
    stream: true,
    turn: TRUNCATED,
    stored: HELLO,
    seen: /event: error\ndata: \{"type":"error"/
  },
  {
    name: 'a cut',
    script: streaming(HALF),
    stream: true,
    turn: TRUNCATED,
    stored: HELLO,
    seen: /"code":"upstream_truncated"/
  },
  {
    name: 'an error before the first byte',
    script: (res) =>
      sendJson(res, 429, { error: { message: 'slow down', type: 't', param: null, code: 'c' } }),
    stream: true,
    turn: { status: 'failed', error: 'upstream_error' },
    stored: null,
    seen: /slow down/
  },
  {
    name: 'a body that is no response',
    script: (res) => sendJson(res, 200, { object: 'chat.completion', choices: [] }),
    stream: false,
    turn: { status: 'failed', error: 'upstream_error' },
    stored: null,
    seen: /"code":"upstream_error"/
  }
]

async function isStored(
  t: Test,
  call: (path: string) => Promise<{ status: number; json: object }>,
  path: string,
  stored: object | null
) {
  const res = await call(path)
  t.equal(res.status, stored ? 200 : 404)
  if (stored) t.match(res.json, stored)
}

for (const { name, script, stream, turn, stored, seen } of ENDS) {
  t.test(
    `${stream ? 'streamed' : 'whole'}, ${name} is told to the client and kept in the turn`,
    async (t) => {
      const { respond, turnsOf, call, upstream, sent } = await startStateful(t)
      const { script: echo } = upstream
      upstream.script = script
      const res = await respond('Hi', { stream })
      t.match(res.text, seen)
      const conversation = res.headers.get('x-conversation-id') ?? ''
      const [row] = await turnsOf(conversation)
      t.match(row, { kind: 'response', user_text: 'Hi', ...turn })
      await isStored(t, call, `/responses/${row?.id}`, stored)
      if (stored) await isStored(t, call, '/responses/resp_x', stored)
      upstream.script = echo
      await respond('Next', { conversation })
      const inputs = sent().input.length
      t.equal(inputs, stored ? 3 : 1, 'what was said is history, and what failed is none')
    }
  )
}

t.test('a client that leaves keeps what had come, and its upstream call is cancelled', async (t) => {
  const { url, upstream, endedTurn, call } = await startStateful(t)
  upstream.script = (res) => {
    startSse(res)
    res.write(HALF)
  }
  const leaving = new AbortController()
  const answer = await fetch(`${url}/v1/responses`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'm', input: 'Hi', stream: true }),
    signal: leaving.signal
  })
  const reader = answer.body?.getReader()
  await reader?.read()
  leaving.abort()
  await upstream.calls[0]?.cancelled
  const turn = await endedTurn(answer)
  t.match(turn, { status: 'incomplete', error: 'client_disconnect', assistant_text: 'Hello' })
  await isStored(t, call, '/responses/resp_x', HELLO)
})

t.test('the last event is held back until the turn is written', async (t) => {
  const { respond, url } = await startStateful(t)
  const res = await respond('Hi', { stream: true })
  t.match(res.text, /response\.completed/)
  const stored = await fetch(`${url}/v1/responses/resp_1`)
  t.equal(stored.status, 200)
})
