import type { RequestOptions } from '../helper/request.ts'
import type { Names } from './world.ts'

/** One way in which a request can carry the name of a thing. */
export interface Probe {
  /** What carries the name, and which name. */
  carrier: string
  method: string
  /**
   * What every answer has to be, whoever's names they are:
   * - `refused`: a 400 or 404, and nothing happens,
   * - `shown`: a 200 from what the session has itself, and nothing happens,
   * - `served`: what a request without any name gets, and perhaps a conversation of its own.
   */
  expect: 'refused' | 'shown' | 'served'
  /** The request; `own` are names that the asking session has itself. */
  request(names: Names, own: Names): RequestOptions & { path: string }
}

type Path = (names: Names, own: Names) => string
type Bare = Pick<RequestOptions, 'body' | 'headers'>

function probe(method: string, expect: Probe['expect'], carrier: string, path: Path, more: Bare = {}): Probe {
  return {
    carrier,
    method,
    expect,
    request: (names, own) => ({ path: `/v1${path(names, own)}`, method, ...more })
  }
}

const refused = (method: string, carrier: string, path: Path, more?: Bare) =>
  probe(method, 'refused', carrier, path, more)
const shown = (carrier: string, path: Path) => probe('GET', 'shown', carrier, path)

const ITEMS = { items: [{ role: 'user', content: 'x' }] }

/** The ways to say where a turn belongs. */
const PLACES: Record<string, (names: Names) => Bare> = {
  'body conversation': (names) => ({ body: { conversation: names.conversation } }),
  'body conversation.id': (names) => ({ body: { conversation: { id: names.conversation } } }),
  'body conversation_id': (names) => ({ body: { conversation_id: names.conversation } }),
  'header x-conversation-id': (names) => ({ headers: { 'x-conversation-id': names.conversation } }),
  'header x-parent-seq': (names) => ({
    headers: { 'x-conversation-id': names.conversation, 'x-parent-seq': '1' }
  }),
  'header x-parent-seq, too high': (names) => ({
    headers: { 'x-conversation-id': names.conversation, 'x-parent-seq': '99' }
  }),
  'body previous_response_id': (names) => ({ body: { previous_response_id: names.response } }),
  'body previous_response_id, a turn': (names) => ({ body: { previous_response_id: names.responseTurn } }),
  'body conversation, a new key': (names) => ({
    body: { conversation: names.conversation },
    headers: { 'idempotency-key': 'new' }
  })
}

const WAYS: Record<string, object> = { json: {}, stream: { stream: true }, 'store: false': { store: false } }

/** Requests that a model answers. */
function asking(path: string, said: object): Probe[] {
  const placed = Object.entries(PLACES).flatMap(([carrier, place]) =>
    Object.entries(WAYS).map(([way, more]): Probe => {
      const request: Probe['request'] = (names) => {
        const { body, headers } = place(names)
        return { path, body: { ...said, ...more, ...(body as object) }, ...(headers && { headers }) }
      }
      return { carrier: `${carrier} (${way})`, method: 'POST', expect: 'refused', request }
    })
  )
  return [...placed, ...again(path, said)]
}

/** Requests that look like one that was made before: of another session, they are new. */
function again(path: string, said: object): Probe[] {
  const served = (carrier: string, request: Probe['request']): Probe => ({
    carrier,
    method: 'POST',
    expect: 'served',
    request
  })
  return [
    served('Idempotency-Key, the same body', ({ key, keyedBody }) => ({
      path,
      body: { input: 'x', ...keyedBody },
      headers: { 'idempotency-key': key }
    })),
    served('Idempotency-Key, another body', ({ key }) => ({
      path,
      body: { ...said, user: 'any' },
      headers: { 'idempotency-key': key }
    })),
    served('x-stainless-retry-count, the same body', ({ failedBody }) => ({
      path,
      body: path.endsWith('/responses') ? { input: 'x', ...failedBody } : failedBody,
      headers: { 'x-stainless-retry-count': '1' }
    })),
    served('body user, of an answer', ({ completion }) => ({ path, body: { ...said, user: completion } }))
  ]
}

const inLists = (path: string): Probe[] => [
  shown('query metadata', ({ tag }) => `${path}?metadata[owner]=${tag}`)
]

const CONVERSATION = '/v1/conversations/:id'
const COMPLETION = '/v1/chat/completions/:id'
const RESPONSE = '/v1/responses/:id'

/** The three calls on what has an upstream's id and a turn's. */
function byEitherId(path: string, ids: [string, (names: Names) => string][]) {
  return (method: string, suffix = '', more?: Bare): Probe[] =>
    ids.map(([carrier, idOf]) =>
      refused(method, `path ${carrier}`, (names) => `${path}/${idOf(names)}${suffix}`, more)
    )
}

const byCompletion = byEitherId('/chat/completions', [
  ['completion id', ({ completion }) => completion],
  ['turn id', ({ completionTurn }) => completionTurn],
  ['turn id of a response', ({ responseTurn }) => responseTurn]
])
const byResponse = byEitherId('/responses', [
  ['response id', ({ response }) => response],
  ['turn id', ({ responseTurn }) => responseTurn],
  ['turn id of a completion', ({ completionTurn }) => completionTurn]
])
const cursor = (path: Path, idOf: (names: Names) => string, name = 'after') =>
  refused('GET', `query ${name}`, (names, own) => `${path(names, own)}?${name}=${idOf(names)}`)

/** By route, as Fastify names it. What is not here has not been thought about. */
export const PROBES: Record<string, Probe[]> = {
  'POST /v1/chat/completions': asking('/v1/chat/completions', {
    model: 'm',
    messages: [{ role: 'user', content: 'x' }]
  }),
  'POST /v1/responses': [
    ...asking('/v1/responses', { model: 'm', input: 'x' }),
    {
      carrier: 'body input item_reference',
      method: 'POST',
      expect: 'served',
      request: ({ item }) => ({
        path: '/v1/responses',
        body: {
          model: 'm',
          input: [
            { type: 'item_reference', id: item },
            { role: 'user', content: 'x' }
          ]
        }
      })
    }
  ],
  'GET /v1/chat/completions': [
    cursor(
      () => '/chat/completions',
      ({ completion }) => completion
    ),
    cursor(
      () => '/chat/completions',
      ({ completionTurn }) => completionTurn
    ),
    shown('query model', ({ tag }) => `/chat/completions?model=${tag}`),
    ...inLists('/chat/completions')
  ],
  [`GET ${COMPLETION}`]: byCompletion('GET'),
  [`POST ${COMPLETION}`]: byCompletion('POST', '', { body: { metadata: { stolen: 'yes' } } }),
  [`DELETE ${COMPLETION}`]: byCompletion('DELETE'),
  [`GET ${COMPLETION}/messages`]: [
    ...byCompletion('GET', '/messages'),
    cursor(
      (_, own) => `/chat/completions/${own.completion}/messages`,
      ({ completion }) => `${completion}-0`
    )
  ],
  [`GET ${RESPONSE}`]: byResponse('GET'),
  [`DELETE ${RESPONSE}`]: byResponse('DELETE'),
  [`GET ${RESPONSE}/input_items`]: [
    ...byResponse('GET', '/input_items'),
    cursor(
      (_, own) => `/responses/${own.response}/input_items`,
      ({ item }) => item
    )
  ],
  'POST /v1/conversations': [
    {
      carrier: 'body metadata and items',
      method: 'POST',
      expect: 'served',
      request: ({ tag, conversation }) => ({
        path: '/v1/conversations',
        body: { metadata: { owner: tag, conversation }, items: [{ role: 'user', content: conversation }] }
      })
    },
    {
      carrier: 'body id',
      method: 'POST',
      expect: 'refused',
      request: ({ conversation }) => ({ path: '/v1/conversations', body: { id: conversation } })
    },
    {
      carrier: 'body items item_reference',
      method: 'POST',
      expect: 'refused',
      request: ({ item }) => ({
        path: '/v1/conversations',
        body: { items: [{ type: 'item_reference', id: item }] }
      })
    }
  ],
  'GET /v1/conversations': [
    shown('query after', ({ conversation }) => `/conversations?after=${conversation}`),
    shown('query after, asc', ({ conversation }) => `/conversations?order=asc&after=${conversation}`),
    shown('query before', ({ conversation }) => `/conversations?before=${conversation}`),
    shown('query q', ({ tag }) => `/conversations?q=${tag}`),
    shown(
      'query q and after',
      ({ tag, conversation }) => `/conversations?q=${tag}&order=asc&after=${conversation}`
    ),
    ...inLists('/conversations')
  ],
  'DELETE /v1/conversations': [
    probe('DELETE', 'shown', 'query metadata', ({ tag }) => `/conversations?metadata[owner]=${tag}`)
  ],
  [`GET ${CONVERSATION}`]: [
    refused('GET', 'path conversation id', (names) => `/conversations/${names.conversation}`)
  ],
  [`POST ${CONVERSATION}`]: [
    { title: 'Stolen' },
    { metadata: { stolen: 'yes' } },
    { pinned: true },
    { metadata: null }
  ].map((body) =>
    refused('POST', `path conversation id, ${Object.keys(body)}`, (n) => `/conversations/${n.conversation}`, {
      body
    })
  ),
  [`DELETE ${CONVERSATION}`]: [
    refused('DELETE', 'path conversation id', (names) => `/conversations/${names.conversation}`)
  ],
  [`POST ${CONVERSATION}/items`]: [
    refused('POST', 'path conversation id', (names) => `/conversations/${names.conversation}/items`, {
      body: ITEMS
    })
  ],
  [`GET ${CONVERSATION}/items`]: [
    refused('GET', 'path conversation id', (names) => `/conversations/${names.conversation}/items`),
    refused(
      'GET',
      'path conversation id, query after',
      (names) => `/conversations/${names.conversation}/items?after=${names.item}`
    ),
    cursor(
      (_, own) => `/conversations/${own.conversation}/items`,
      ({ item }) => item
    ),
    refused(
      'GET',
      'path conversation id, own cursor',
      (names, own) => `/conversations/${names.conversation}/items?after=${own.item}`
    )
  ],
  ...Object.fromEntries(
    ['GET', 'DELETE'].map((method) => [
      `${method} ${CONVERSATION}/items/:itemId`,
      [
        refused(method, 'path both ids', (n) => `/conversations/${n.conversation}/items/${n.item}`),
        refused(method, 'path item id', (n, own) => `/conversations/${own.conversation}/items/${n.item}`),
        refused(
          method,
          'path conversation id, own item',
          (n, own) => `/conversations/${n.conversation}/items/${own.item}`
        )
      ]
    ])
  ),
  [`GET ${CONVERSATION}/turns`]: ['', '?after_seq=1', '?before_seq=2&order=desc', '?include=superseded'].map(
    (query) =>
      refused('GET', `path conversation id ${query}`, (n) => `/conversations/${n.conversation}/turns${query}`)
  ),
  'GET /v1/stats': [
    {
      carrier: 'header x-conversation-id',
      method: 'GET',
      expect: 'shown',
      request: ({ conversation }) => ({
        path: '/v1/stats?days=366',
        headers: { 'x-conversation-id': conversation }
      })
    },
    refused('GET', 'query metadata', ({ tag }) => `/stats?metadata[owner]=${tag}`)
  ],
  'GET /v1/models': [servedWith('GET', '/v1/models')],
  'GET /v1/models/*': [servedWith('GET', '/v1/models/m')],
  'POST /v1/embeddings': [servedWith('POST', '/v1/embeddings', { model: 'm', input: 'x' })]
}

/** What is only passed on takes no notice of such headers. */
function servedWith(method: string, path: string, body?: object): Probe {
  return {
    carrier: 'header x-conversation-id',
    method,
    expect: 'served',
    request: ({ conversation, key }) => ({
      path,
      method,
      headers: { 'x-conversation-id': conversation, 'idempotency-key': key },
      ...(body && { body })
    })
  }
}

/** Routes that read nothing that belongs to a session: outside of `/v1`, and answers to preflights. */
export const WITHOUT_NAMES =
  /^(GET|HEAD) \/((livez|readyz|metrics|docs(\/.*)?)?|(console|client|node_modules)\/.*)$|^OPTIONS /
