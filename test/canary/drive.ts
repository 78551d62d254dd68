import type { Test } from 'tap'
import { type Reply, type RequestOptions, request, sendRaw } from '../helper/request.ts'
import { PROBES } from '../isolation/probes.ts'
import { type Call, makeThings } from '../isolation/world.ts'
import { isClean, NAMES, SECRETS, TEXTS } from './canaries.ts'
import { FAILINGS } from './canary-upstream.ts'

const said = { messages: [{ role: 'user', content: TEXTS.prompt }], input: TEXTS.prompt, model: 'm' }
const ANSWERED = ['/v1/chat/completions', '/v1/responses']

export interface Driver {
  call: Call
  /** How many requests were answered. */
  answered(): number
}

/** Requests that carry every canary that a client can send; each answer is looked through. */
export function createDriver(t: Test, url: string, credentials: Record<string, string>): Driver {
  let answered = 0
  const call: Call = async (path, options = {}) => {
    const headers = { ...credentials, cookie: `a=${SECRETS.cookie}`, ...options.headers }
    const reply = await request(url + path, { ...options, headers }).catch(() => null)
    if (reply === null) return { status: 0, headers: new Headers(), text: '', json: undefined } // cut off
    answered += 1
    lookThrough(t, reply, `${options.method ?? ''} ${path.replace(/\?.*/, '')} ${reply.status}`)
    return reply
  }
  return { call, answered: () => answered }
}

function lookThrough(t: Test, { status, headers, text }: Reply, where: string): void {
  isClean(t, JSON.stringify([...headers]), { ...SECRETS, ...TEXTS, ...NAMES }, `the headers of ${where}`)
  isClean(t, text, SECRETS, `the body of ${where}`)
  if (status >= 400) isClean(t, text, TEXTS, `the error of ${where}`)
}

/** Every route, for what is there, for what is not, and with a query that it does not know. */
export async function driveRoutes(call: Call): Promise<void> {
  let made = 0
  for (const probes of Object.values(PROBES)) {
    made += 1
    const names = await makeThings(call, `tag${made}`)
    for (const probe of probes) {
      const { path, ...options } = probe.request(names, names)
      const text = JSON.stringify(options.body ?? null).replaceAll('"x"', JSON.stringify(TEXTS.prompt))
      const more: RequestOptions = {
        ...options,
        method: probe.method,
        ...(options.body !== undefined && { body: text }),
        headers: { 'idempotency-key': `${SECRETS['idempotency key']}-${made}`, ...options.headers }
      }
      await call(`${path}${path.includes('?') ? '&' : '?'}limit=${TEXTS['query value']}`, more)
      await call(path, more)
    }
  }
}

/** What a service refuses by itself. */
export async function driveRefusals(call: Call, url: string): Promise<void> {
  for (const path of ANSWERED) {
    for (const body of [
      `{"messages":[${TEXTS.prompt}`,
      `${TEXTS.prompt}`,
      `{"__proto__":"${TEXTS.prompt}"}`,
      { messages: TEXTS.prompt, input: { a: TEXTS.prompt } },
      { ...said, metadata: TEXTS.metadata },
      { ...said, metadata: { [`${NAMES['name of a field']}`]: 5 } },
      { ...said, metadata: { a: TEXTS.metadata?.repeat(100) } },
      { ...said, conversation: [TEXTS.prompt] },
      { ...said, model: [TEXTS.prompt] },
      { ...said, pad: TEXTS.prompt?.repeat(10_000) },
      { ...said, messages: JSON.parse(`${'['.repeat(100)}"${TEXTS.prompt}"${']'.repeat(100)}`) }
    ]) {
      await call(path, { body })
    }
    await call(path, { body: TEXTS.prompt, headers: { 'content-type': 'text/plain' } })
    await call(path, { body: said, headers: { 'x-parent-seq': `${TEXTS['query value']}` } })
    await call(path, { body: said, headers: { 'x-on-disconnect': `${TEXTS['query value']}` } })
    const key = { 'idempotency-key': `${SECRETS['idempotency key']}` }
    for (const content of ['one', 'one', 'another'])
      await call(path, { body: { ...said, user: content }, headers: key })
  }
  await call('/v1/conversations', { body: { title: [TEXTS.title] } })
  await call('/v1/conversations', { body: { [`${NAMES['name of a field']}`]: TEXTS.title } })
  await call('/v1/conversations', { body: { title: TEXTS.title, metadata: { a: TEXTS.metadata } } })
  for (const path of [
    `/none/${TEXTS['query value']}?a=${TEXTS['query value']}`,
    `/v1/none/${TEXTS['query value']}`,
    `/v1/conversations/${TEXTS['query value']}`,
    `/v1/conversations?after=${TEXTS['query value']}`,
    `/v1/conversations?q=${TEXTS['query value']}`,
    `/v1/models/${TEXTS['query value']}?a=${TEXTS['query value']}`,
    `/v1/conversations?api_key=${TEXTS['query value']}`,
    `/v1/%zz${TEXTS['query value']}`
  ]) {
    await call(path)
  }
  const wrong = `${SECRETS['client key']} ${SECRETS['client key']}`
  for (const headers of [
    { authorization: `Bearer ${wrong}` },
    { authorization: `Basic ${wrong}` },
    { 'x-session-id': wrong },
    { 'x-api-key': wrong },
    { 'api-key': wrong },
    { origin: `https://${SECRETS.cookie}.test` }
  ]) {
    await call('/v1/conversations', { headers })
  }
  await call('/metrics')
  await call('/metrics', { headers: { authorization: `Bearer ${wrong}` } })
  const head = `GET /v1/models?a=${TEXTS['query value']} HTTP/1.1\r\nhost: a\r\n`
  for (const more of [
    `bad header ${SECRETS['client key']}\r\n\r\n`,
    `authorization: ${SECRETS['client key']?.repeat(2_000)}\r\n\r\n`,
    `content-length: 1\r\ntransfer-encoding: chunked\r\ncookie: ${SECRETS.cookie}\r\n\r\n`,
    `connection: close\r\ncookie: ${SECRETS.cookie}\r\n\r\n`
  ]) {
    await sendRaw(url, head + more).catch(() => {})
  }
}

/** All ways in which the upstream may fail. */
export async function driveFailings(call: Call): Promise<void> {
  for (const path of ANSWERED) {
    for (const user of Object.keys(FAILINGS)) {
      for (const stream of [true, false]) await call(path, { body: { ...said, user, stream } })
    }
  }
  await call('/v1/embeddings', { body: { user: 'answers 400', input: TEXTS.prompt } })
}

/** Exchanges and reads while the store fails. */
export async function driveStoreFailure(call: Call): Promise<void> {
  for (const path of ANSWERED) await call(path, { body: { ...said, metadata: { a: TEXTS.metadata } } })
  await call('/v1/conversations', { body: { title: TEXTS.title } })
  await call(`/v1/conversations?q=${TEXTS['query value']}`)
  await call('/v1/chat/completions')
  await call('/readyz')
}
