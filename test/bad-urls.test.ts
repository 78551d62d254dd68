import t from 'tap'
import { startApp } from './helper/app.ts'
import { isErrorReply, request, sendRaw } from './helper/request.ts'

const NUMBERS = [
  '-1',
  '0.5',
  '1.5',
  'abc',
  '',
  '%20',
  '1e309',
  'NaN',
  'true',
  'null',
  '0x10',
  '%00',
  '٣',
  '99999999999'
]

t.test('a query parameter with a wrong value is a 400 that names it', async (t) => {
  const { url } = await startApp(t)
  const { id } = (await request(`${url}/v1/conversations`, { body: {} })).json
  const conversations = '/v1/conversations'
  const turns = `${conversations}/${id}/turns`
  const cases: [path: string, param: string, values: string[]][] = [
    [conversations, 'limit', ['0', '101', ...NUMBERS]],
    [turns, 'limit', ['0', '101', ...NUMBERS]],
    ['/v1/stats', 'days', ['0', '367', ...NUMBERS]],
    [turns, 'after_seq', NUMBERS],
    [turns, 'before_seq', NUMBERS],
    [conversations, 'order', ['', 'up', 'ASC']],
    [turns, 'order', ['', 'up', 'ASC']],
    [conversations, 'pinned', ['', 'maybe']],
    [turns, 'include', ['', 'all']],
    [
      conversations,
      'after',
      ['', 'x', 'conv_', `conv_${'g'.repeat(32)}`, `turn_${'0'.repeat(32)}`, '%00', "'"]
    ],
    [conversations, 'before', ['', 'x', `${id}0`]]
  ]
  for (const [path, param, values] of cases) {
    for (const query of [...values, `1&${param}=2`].map((value) => `${param}=${value}`)) {
      const res = await request(`${url}${path}?${query}`)
      isErrorReply(t, res, 400, { param, code: 'invalid_value' }, `${path.slice(-13)}?${query}`)
    }
  }
})

t.test('a query parameter that does not exist is a 400 that names it', async (t) => {
  const { url } = await startApp(t)
  const { id } = (await request(`${url}/v1/conversations`, { body: {} })).json
  const unknown = ['page', 'Limit', 'constructor', 'toString']
  for (const path of ['/v1/conversations', `/v1/conversations/${id}/turns`, '/v1/stats']) {
    for (const param of unknown) {
      const res = await request(`${url}${path}?${param}=1`)
      isErrorReply(t, res, 400, { param, code: 'unknown_parameter' }, `${path.slice(-13)}?${param}`)
    }
  }
})

t.test('brackets say what they say at OpenAI, and pollute nothing', async (t) => {
  const { url } = await startApp(t)
  const { id } = (await request(`${url}/v1/conversations`, { body: {} })).json
  const cases: [query: string, code: string, param: string][] = [
    ['limit[]=1', 'invalid_value', 'limit'],
    ['limit[a]=1', 'invalid_value', 'limit'],
    ['order[]=asc', 'invalid_value', 'order'],
    ['constructor[prototype]=1', 'unknown_parameter', 'constructor'],
    ['constructor[prototype][polluted]=1', 'unknown_parameter', 'constructor'],
    ['page[]=1', 'unknown_parameter', 'page']
  ]
  for (const path of ['/v1/conversations', `/v1/conversations/${id}/turns`]) {
    for (const [query, code, param] of cases) {
      const res = await request(`${url}${path}?${query}`)
      isErrorReply(t, res, 400, { code, param }, `${path.slice(-13)}?${query}`)
    }
    for (const query of ['__proto__=1', '__proto__[polluted]=1', '__proto__[]=1']) {
      const res = await request(`${url}${path}?${query}`)
      t.strictSame(res.text, (await request(`${url}${path}`)).text, `${query} is ignored`)
    }
  }
  t.equal(({} as { polluted?: unknown }).polluted, undefined)
})

t.test('both cursors at once are a 400', async (t) => {
  const { url } = await startApp(t)
  const { id } = (await request(`${url}/v1/conversations`, { body: {} })).json
  const res = await request(`${url}/v1/conversations?after=${id}&before=${id}`)
  isErrorReply(t, res, 400, { param: 'before', code: 'invalid_value' }, 'after and before')
})

t.test('an id that no conversation can have is a 404, whatever it holds', async (t) => {
  const { url } = await startApp(t)
  const ids = [
    '..%2f..%2fetc%2fpasswd',
    '%2e%2e%2f',
    '%00',
    'conv_%00',
    '%0d%0aset-cookie:a',
    '%25zz',
    "'%20or%201=1",
    '%F0%9F%8D%B5',
    'x'.repeat(4096)
  ]
  const uses: [method: string, suffix: string, body?: object][] = [
    ['GET', ''],
    ['POST', '', { title: 'x' }],
    ['DELETE', ''],
    ['GET', '/turns']
  ]
  for (const id of ids) {
    for (const [method, suffix, body] of uses) {
      const res = await request(`${url}/v1/conversations/${id}${suffix}`, { method, ...(body && { body }) })
      const expected = { code: 'conversation_not_found', param: null }
      isErrorReply(t, res, 404, expected, `${method} ${id.slice(0, 40)}${suffix}`)
      t.equal(res.headers.get('set-cookie'), null)
    }
  }
})

t.test('a URL that cannot be decoded is a 400', async (t) => {
  const { url } = await startApp(t)
  for (const id of ['%zz', '%', '%E0%A4%A', '%ED%A0%80', '%ff']) {
    for (const path of [`/v1/conversations/${id}`, `/v1/conversations/${id}/turns`, `/v1/models/${id}`]) {
      isErrorReply(t, await request(url + path), 400, { code: 'invalid_url', param: null }, path)
    }
  }
})

t.test('what is not HTTP gets a 4xx in the same shape, and the next request an answer', async (t) => {
  const { url } = await startApp(t)
  const post = 'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n'
  const cases: [name: string, bytes: string, status: number][] = [
    ['garbage', 'GARBAGE\r\n\r\n', 400],
    ['a version from the future', 'GET / HTTP/9.9\r\nhost: localhost\r\n\r\n', 400],
    ['an unknown method', 'BREW /livez HTTP/1.1\r\nhost: localhost\r\n\r\n', 400],
    ['a header name with a blank', 'GET /livez HTTP/1.1\r\nhost: localhost\r\na b: c\r\n\r\n', 400],
    ['bytes outside of ASCII in the URL', 'GET /v1/models/\xe9 HTTP/1.1\r\nhost: localhost\r\n\r\n', 400],
    [
      'headers without end',
      `GET /livez HTTP/1.1\r\nhost: localhost\r\na: ${'x'.repeat(20_000)}\r\n\r\n`,
      431
    ],
    ['a length that is no number', `${post}content-length: abc\r\n\r\n`, 400],
    ['two lengths', `${post}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`, 400],
    ['a length and chunks', `${post}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
    ['a chunk of no size', `${post}transfer-encoding: chunked\r\n\r\nzz\r\n`, 400]
  ]
  for (const [name, bytes, status] of cases) {
    const answer = await sendRaw(url, bytes)
    const [head = '', text = ''] = answer.split('\r\n\r\n')
    t.equal(Number(head.split(' ')[1]), status, name)
    t.match(
      text && JSON.parse(text),
      { error: { type: 'invalid_request_error', param: null, code: String } },
      name
    )
    t.match(head, /content-type: application\/json/i, name)
    t.equal((await request(`${url}/livez`)).status, 200, `up after ${name}`)
  }
})

t.test('a request without a host is refused', async (t) => {
  const { url } = await startApp(t)
  t.match(await sendRaw(url, 'GET /livez HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /)
})
