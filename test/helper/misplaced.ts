import type { Probe } from './guarded.ts'

const MISSING = { status: 401, code: 'credential_required' }
const TWO = { status: 400, code: 'two_credentials' }
const IN_URL = { status: 400, code: 'credential_in_url' }
const NOTHING = { status: 404, code: 'not_found' }

/** Requests with a credential that is right, in every place and form in which it must not count. */
export function misplaced(token: string): Probe[] {
  const right = `authorization: Bearer ${token}`
  const base64 = Buffer.from(`user:${token}`).toString('base64')
  const alone = [
    '',
    'x-nothing: 1',
    `x-api-key: ${token}`,
    `api-key: ${token}`,
    `x-api-key: ${token}\r\nx-api-key: ${token}`,
    `proxy-authorization: Bearer ${token}`,
    `x-authorization: Bearer ${token}`,
    `x-forwarded-authorization: Bearer ${token}`,
    `authentication: Bearer ${token}`,
    `cookie: authorization=Bearer ${token}; token=${token}; access_token=${token}`,
    'x-session-id: anne',
    'x-forwarded-user: anne',
    'x-original-url: /livez',
    'x-rewrite-url: /livez',
    'x-forwarded-for: 127.0.0.1',
    'host: evil.example',
    'host: 127.0.0.1:1',
    'connection: upgrade\r\nupgrade: websocket',
    'x-http-method-override: OPTIONS'
  ]
  const schemes = [
    'Bearer',
    'Bearer ',
    `${token}`,
    `Bearer${token}`,
    `Bearer\t${token}`,
    `Bearer:${token}`,
    `Bearer=${token}`,
    `Bearer, ${token}`,
    `"Bearer" ${token}`,
    `Bearer ${token} ${token}`,
    `Bearer ${token}, Bearer ${token}`,
    `Bearer ${token},\tBearer ${token}`,
    `Bearer Bearer ${token}`,
    `Bearer\xa0${token}`,
    `Bearer \xa0${token}`,
    `Bearer ${token}\xa0`,
    `\xefBearer ${token}`,
    `Basic ${base64}`,
    `Basic ${token}`,
    `Token ${token}`,
    `ApiKey ${token}`,
    `Key ${token}`,
    `Digest ${token}`,
    `DPoP ${token}`,
    `Negotiate ${token}`,
    `JWT ${token}`,
    `OAuth ${token}`,
    `Bearers ${token}`,
    `B\u00e9arer ${token}`,
    `Bearer realm="x", token="${token}" x`,
    'null',
    'undefined',
    'Bearer \t '
  ]
  const several = [
    [right, right],
    [right, 'authorization: Bearer x'],
    ['authorization: Bearer x', right],
    [right, 'AUTHORIZATION: Basic eDp5'],
    [right, 'authorization:'],
    [right, 'x-api-key: x'],
    [right, 'X-API-KEY: x'],
    [right, 'x-api-key:'],
    [right, 'api-key: x'],
    [right, `x-api-key: ${token}`],
    [right, `api-key: ${token}`, right]
  ]
  const names = ['api_key', 'api-key', 'apikey', 'x-api-key', 'access_token', 'authorization', 'token', 'key']
  const queries = [...names, 'API_KEY', 'Access_Token', '%61pi_key', 'token[]', 'key[a]']
  const paths: [target: string, refusal: { status: number; code: string }][] = [
    ['/v1', MISSING],
    ['/v1/', MISSING],
    ['/v1?x', MISSING],
    ['/v1/none', MISSING],
    ['/v1/livez', MISSING],
    ['/v1/Conversations', MISSING],
    ['/v1/conversations/', MISSING],
    ['/v1/conversations?', MISSING],
    ['/v1/conversations#x', MISSING],
    ['/v1/conversations;x=1', MISSING],
    ['/v1/conversations.json', MISSING],
    ['/v1/conversations%00', MISSING],
    ['/v1/conversations%20', MISSING],
    ['/v1/conversations%2f', MISSING],
    ['/v1/conversations%2F..', MISSING],
    ['/v1/conversations/..%2f..%2flivez', MISSING],
    ['/v1/../v1/conversations', MISSING],
    ['/v1/../livez', MISSING],
    ['/v1//conversations', MISSING],
    ['/v1/./conversations', MISSING],
    ['/%761/conversations', MISSING],
    ['/v%31/conversations', MISSING],
    ['/v1/c%6fnversations', MISSING],
    ['http://localhost/v1/conversations', MISSING],
    ['http://evil.example/v1/conversations', MISSING],
    ['https://user:pass@evil.example:99/v1/conversations', MISSING],
    ['/v1/%zz', { status: 400, code: 'invalid_url' }],
    ['/v1/conversations/%', { status: 400, code: 'invalid_url' }],
    ['v1/conversations', { status: 400, code: 'invalid_request' }],
    ['//v1/conversations', NOTHING],
    ['///v1/conversations', NOTHING],
    ['//localhost/v1/conversations', NOTHING],
    ['/V1/conversations', NOTHING],
    ['/v1%2fconversations', NOTHING],
    ['/v1%252fconversations', NOTHING],
    ['/v1;/conversations', NOTHING],
    ['/v1%00/conversations', NOTHING],
    ['/v1\\conversations', NOTHING],
    ['/./v1/conversations', NOTHING],
    ['/x/../v1/conversations', NOTHING],
    ['/livez/../v1/conversations', NOTHING],
    ['/%2e/v1/conversations', NOTHING]
  ]
  const methods = [
    'HEAD',
    'OPTIONS',
    'POST',
    'PUT',
    'PATCH',
    'DELETE',
    'TRACE',
    'PROPFIND',
    'SEARCH',
    'QUERY'
  ]
  return [
    ...alone.map((line) => ({ name: line, headers: line ? [line] : [], ...MISSING })),
    ...schemes.map((value) => ({ name: value, headers: [`authorization: ${value}`], ...MISSING })),
    ...several.map((headers) => ({ name: headers.join(), headers, ...TWO })),
    ...queries.flatMap((name) => {
      const target = `/v1/conversations?limit=1&${name}=${encodeURIComponent(token)}`
      return [
        { name: `?${name}`, target, ...IN_URL },
        { name: `?${name} and the header`, target, headers: [right], ...IN_URL }
      ]
    }),
    ...paths.map(([target, refusal]) => ({ name: target, target, ...refusal })),
    ...methods.map((method) => ({ name: method, method, ...MISSING })),
    ...['/v1', '/v1/', '/v1/none'].map((target) => ({
      name: `OPTIONS ${target}`,
      method: 'OPTIONS',
      target,
      ...MISSING
    })),
    {
      name: 'in the body',
      method: 'POST',
      body: JSON.stringify({ api_key: token, authorization: `Bearer ${token}`, token }),
      ...MISSING
    },
    {
      name: 'with a NUL before it',
      headers: [`authorization: \0Bearer ${token}`],
      status: 400,
      code: 'invalid_request'
    },
    {
      name: 'a head of 64 KB',
      headers: [`authorization: Bearer ${token}${'a'.repeat(65_536)}`],
      status: 431,
      code: 'invalid_request'
    }
  ]
}
