import type { Test } from 'tap'
import { newId } from '../../storage/ids.ts'
import { startApp } from '../helper/app.ts'
import { responseOf, sendChat, sendResponse } from '../helper/echo-upstream.ts'
import { DRIVERS } from '../helper/every-driver.ts'
import { type Reply, type RequestOptions, request } from '../helper/request.ts'
import { sendJson, startUpstream, type UpstreamScript } from '../helper/upstream.ts'
import { IDENTITIES } from './identities.ts'

/** Names of things that a session may have, and by which a request may ask for them. */
export interface Names {
  /** Of seven characters, in the texts, titles and metadata of these things alone. */
  tag: string
  conversation: string
  /** What was asked in the conversation's first turn, as an item. */
  item: string
  completion: string
  completionTurn: string
  response: string
  responseTurn: string
  /** An idempotency key, and the body that it was used with. */
  key: string
  keyedBody: object
  /** A request that failed, and may be tried again. */
  failedBody: object
  /** All conversations of these things. */
  conversations: string[]
}

export type Call = (path: string, options?: RequestOptions) => Promise<Reply>

/** The upstream says the same to everybody, under the id that `user` asks for. */
const upstreamScript: UpstreamScript = (res, call) => {
  if (call.method === 'GET') return sendJson(res, 200, { object: 'list', data: [] })
  const body = JSON.parse(call.body)
  if (body.model === 'failing') return sendJson(res, 500, { error: { message: 'No.' } })
  if (call.url.endsWith('/embeddings')) return sendJson(res, 200, { object: 'list', data: [] })
  const id = body.user ?? 'chatcmpl-any'
  if (call.url.endsWith('/responses')) return sendResponse(res, body, responseOf(id, 'Fine.'))
  sendChat(res, body, 'Fine.', id)
}

export type World = Awaited<ReturnType<typeof startWorld>>

/** The service on this driver and with this way to say who one is. */
export async function startWorld(t: Test, driver: string, auth: string) {
  const identity = await IDENTITIES[auth]?.(t)
  const dbUrl = await DRIVERS[driver]?.(t)
  if (!identity || !dbUrl) throw new Error(`there is no ${driver} with ${auth}`)
  const upstream = await startUpstream(t, upstreamScript)
  const { app, url } = await startApp(t, {
    OPENAI_BASE_URL: upstream.url,
    DB_URL: dbUrl,
    ...identity.settings
  })

  /** Requests in the name of a session, below `/v1`. */
  async function clientOf(session: string): Promise<Call> {
    const own = await identity?.headersOf(app.store, session)
    return (path, options = {}) =>
      request(url + path, { ...options, headers: { ...options.headers, ...own } })
  }
  return { app, upstream, clientOf }
}

/** Makes one of everything. */
export async function makeThings(call: Call, tag: string): Promise<Names> {
  const made = await call('/v1/conversations', { body: { title: `title ${tag}`, metadata: { owner: tag } } })
  const conversation: string = made.json.id
  const names = unmade(tag)
  const chatted = await call('/v1/chat/completions', {
    body: { ...ask('m', 'chatted', tag), user: names.completion, conversation }
  })
  const keyed = await call('/v1/chat/completions', {
    body: names.keyedBody,
    headers: { 'idempotency-key': names.key }
  })
  const responded = await call('/v1/responses', {
    body: { model: 'm', input: `asked ${tag}`, user: names.response, metadata: { owner: tag }, conversation }
  })
  const added = await call(`/v1/conversations/${conversation}/items`, {
    body: { items: [{ role: 'user', content: `added ${tag}` }] }
  })
  const failed = await call('/v1/chat/completions', { body: names.failedBody })
  const statuses = [made, chatted, keyed, responded, added, failed].map(({ status }) => status).join()
  if (statuses !== '200,200,200,200,200,500') throw new Error(`the things were not made: ${statuses}`)
  const items = await call(`/v1/conversations/${conversation}/items?order=asc`)
  return {
    ...names,
    conversation,
    item: items.json.data[0].id,
    completionTurn: chatted.headers.get('x-turn-id') ?? '',
    responseTurn: responded.headers.get('x-turn-id') ?? '',
    conversations: [
      conversation,
      ...[keyed, failed].map(({ headers }) => headers.get('x-conversation-id') ?? '')
    ]
  }
}

/** Names that nothing has, of the form that they would have. */
export function unmade(tag: string): Names {
  return {
    tag,
    conversation: newId('conv'),
    item: `msg_${newId('turn').slice('turn_'.length)}00000001000000`,
    completion: `chatcmpl-${tag}`,
    completionTurn: newId('turn'),
    response: `resp_${tag}`,
    responseTurn: newId('turn'),
    key: `key-${tag}`,
    keyedBody: ask('m', 'keyed', tag),
    failedBody: ask('failing', 'tried', tag),
    conversations: []
  }
}

function ask(model: string, text: string, tag: string) {
  return {
    model,
    messages: [{ role: 'user', content: `${text} ${tag}` }],
    user: `chatcmpl-${text}`,
    metadata: { owner: tag },
    store: true
  }
}

export async function deleteThings(call: Call, { conversations }: Names): Promise<void> {
  for (const id of conversations) {
    const { status } = await call(`/v1/conversations/${id}`, { method: 'DELETE' })
    if (status !== 200) throw new Error(`${id} was not deleted: ${status}`)
  }
}
