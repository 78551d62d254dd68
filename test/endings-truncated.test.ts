import t from 'tap'
import { endsInErrorEvent, exchange, isErrorBody, sdkThrows } from './helper/endings.ts'
import { completion, delta, startSse, type UpstreamScript } from './helper/upstream.ts'

const HELLO = delta({ role: 'assistant', content: 'Hello' })
const LOST = { status: 'incomplete', error: 'upstream_truncated', finish_reason: null }

const startChunked: (sent: string) => UpstreamScript = (sent) => (res) => {
  startSse(res)
  res.write(sent)
}

/** What the upstream does, and what of it had become whole events. */
const breaks: { title: string; script: UpstreamScript; passedOn: string; row: object }[] = [
  {
    title: 'ends properly after a delta',
    script: (res) => {
      startSse(res)
      res.end(HELLO)
    },
    passedOn: HELLO,
    row: { assistant_text: 'Hello', completion_id: 'chatcmpl-test' }
  },
  {
    title: 'ends properly without a single byte',
    script: (res) => {
      startSse(res)
      res.end()
    },
    passedOn: '',
    row: { assistant_text: null }
  },
  {
    title: 'ends properly inside an event',
    script: (res) => {
      startSse(res)
      res.end(`${HELLO}data: {"choices":[{"ind`)
    },
    passedOn: HELLO,
    row: { assistant_text: 'Hello' }
  },
  {
    title: 'ends properly inside the end mark',
    script: (res) => {
      startSse(res)
      res.end(`${HELLO}data: [DON`)
    },
    passedOn: HELLO,
    row: { assistant_text: 'Hello' }
  },
  {
    title: 'closes in the middle of a chunk',
    script: (res, call, req) => {
      startChunked(HELLO)(res, call, req)
      res.socket?.end('40\r\ndata: {"choices"')
    },
    passedOn: HELLO,
    row: { assistant_text: 'Hello' }
  },
  {
    title: 'closes between two chunks',
    script: (res, call, req) => {
      startChunked(HELLO)(res, call, req)
      res.socket?.end()
    },
    passedOn: HELLO,
    row: { assistant_text: 'Hello' }
  },
  {
    title: 'closes before its content-length',
    script: (res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream', 'content-length': '100000' })
      res.write(HELLO, () => res.socket?.end())
    },
    passedOn: HELLO,
    row: { assistant_text: 'Hello' }
  }
]

for (const { title, script, passedOn, row } of breaks) {
  t.test(`a stream whose upstream ${title} is truncated, with its text kept`, async (t) => {
    const { status, text, turn, calls, url } = await exchange(t, script, { body: { stream: true } })
    t.equal(status, 200)
    endsInErrorEvent(t, text, passedOn, 'upstream_truncated')
    t.match(turn, { ...LOST, ...row })
    t.equal(calls.length, 1)
    await sdkThrows(t, url, 'upstream_truncated')
  })
}

t.test(
  'a stream whose upstream resets the connection is truncated, with what came of its text',
  async (t) => {
    const script: UpstreamScript = (res) => {
      startSse(res)
      // A reset may overtake what was sent before it, so it waits until that must have been read.
      res.write(HELLO, () => setTimeout(() => res.socket?.resetAndDestroy(), 100))
    }
    const { text, turn, url } = await exchange(t, script, { body: { stream: true } })
    endsInErrorEvent(t, text, HELLO, 'upstream_truncated')
    t.match(turn, { ...LOST, assistant_text: 'Hello' })
    await sdkThrows(t, url, 'upstream_truncated')
  }
)

const bodies: { title: string; script: UpstreamScript }[] = [
  {
    title: 'has fewer bytes than its content-length',
    script: (res) => {
      const body = JSON.stringify(completion('Hello'))
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': String(body.length + 1) })
      res.write(body, () => res.socket?.end())
    }
  },
  {
    title: 'is cut between two chunks',
    script: (res) => {
      res.writeHead(200, { 'content-type': 'application/json' })
      res.write(JSON.stringify(completion('Hello')), () => res.socket?.end())
    }
  },
  {
    title: 'is reset halfway',
    script: (res) => {
      res.writeHead(200, { 'content-type': 'application/json' })
      res.write('{"id":"chatcmpl-test",', () => setTimeout(() => res.socket?.resetAndDestroy(), 50))
    }
  }
]

for (const { title, script } of bodies) {
  t.test(`a JSON answer that ${title} is a 502, and none of it is passed on`, async (t) => {
    const { status, headers, text, turn, calls } = await exchange(t, script)
    t.equal(status, 502)
    t.match(headers.get('content-type'), /^application\/json/)
    isErrorBody(t, text, 'upstream_truncated')
    t.match(turn, { ...LOST, assistant_text: null })
    t.equal(calls.length, 1)
  })
}
