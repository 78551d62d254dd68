import t, { type Test } from 'tap'
import { DRIVERS } from '../helper/every-driver.ts'
import { isErrorReply } from '../helper/request.ts'
import { ALICE, BOB, startStateful } from '../helper/stateful.ts'
import { completion, delta, sendJson, startSse } from '../helper/upstream.ts'

type Service = Awaited<ReturnType<typeof startStateful>>

/** The titles that a search finds, the newest first. */
function finder({ call }: Service) {
  return async (q: string, more = ''): Promise<string[]> => {
    const { status, json } = await call(`/conversations?q=${encodeURIComponent(q)}${more}`)
    if (status !== 200) throw new Error(`${status} for ${q}`)
    return json.data.map((entry: { title: string }) => entry.title)
  }
}

const QUERIES: [q: string, titles: string[]][] = [
  ['tea', ['Green', 'Morning']],
  ['TEA', ['Green', 'Morning']],
  ['te', []],
  ['cup tea', ['Green']],
  ['Tea of a CUP', ['Green']],
  ['green tea', []],
  ['tea coffee', []],
  ['morning', ['Morning']],
  ['"tea"', ['Green', 'Morning']],
  ['tea* OR NOT', []],
  ["tea' --", ['Green', 'Morning']],
  ['straße', ['Ümlaut']],
  ['STRASSE', []],
  ['ärger', ['Ümlaut']],
  ['a\u0308rger', ['Ümlaut']],
  ['arger', []],
  ['東京', ['Ümlaut']],
  ['京', ['Ümlaut']],
  ['42', ['Ümlaut']],
  ['4', []],
  ['ﬁsh', ['Ümlaut']],
  ['naïve 42', ['Ümlaut']]
]

for (const [name, makePlace] of Object.entries(DRIVERS)) {
  t.test(`${name}: a search finds whole words, in titles and in single turns`, async (t) => {
    const service = await startStateful(t, { DB_URL: await makePlace(t) })
    const { create, say, call, respond } = service
    const find = finder(service)
    const morning = await create({ title: 'Morning' })
    await say(morning, 'Some tea?')
    await say(morning, 'Or coffee?')
    const green = await create({ title: 'Green' })
    await respond('A cup of tea', { conversation: green })
    await create({ title: 'Ümlaut', items: [{ role: 'user', content: 'Straße, Ärger; 東京 42 FISH naïve' }] })
    for (const [q, titles] of QUERIES) t.strictSame(await find(q), titles, q)
    t.strictSame(await find('tea', '&limit=1'), ['Green'])
    t.strictSame(await find('tea', `&after=${green}`), ['Morning'])
    t.strictSame(await find('tea', '&order=asc'), ['Morning', 'Green'])
    await call(`/conversations/${morning}`, { body: { title: 'Kaffee', pinned: true } })
    t.strictSame([await find('morning'), await find('kaffee')], [[], ['Kaffee']], 'a new title')
    t.strictSame(await find('tea', '&pinned=true'), ['Kaffee'])
    await call(`/conversations/${green}`, { method: 'DELETE' })
    t.strictSame(await find('tea'), ['Kaffee'])
  })

  t.test(`${name}: what does not count any more is not found`, async (t) => {
    const service = await startStateful(t, { DB_URL: await makePlace(t) })
    const { create, say, call, itemsOf, upstream } = service
    const find = finder(service)
    const id = await create({ title: 'T' })
    await say(id, 'alpha')
    await say(id, 'beta')
    await say(id, 'gamma', {}, { 'x-parent-seq': '1' })
    t.strictSame([await find('beta'), await find('gamma')], [[], ['T']], 'one that was replaced')
    await say(id, 'delta', {}, { 'x-parent-seq': '2' })
    t.strictSame([await find('beta'), await find('gamma')], [['T'], []], 'and one that came back')
    const items = await itemsOf(id)
    for (const item of items.slice(-2))
      await call(`/conversations/${id}/items/${item.id}`, { method: 'DELETE' })
    t.strictSame(await find('delta'), [], 'one that was deleted')
    const { script } = upstream
    upstream.script = (res) => {
      startSse(res)
      res.end(delta({ content: 'epsilon' }))
    }
    await say(id, 'zeta', { stream: true })
    upstream.script = script
    t.strictSame([await find('epsilon'), await find('zeta')], [['T'], ['T']], 'what had come of an answer')
    upstream.script = (res) => sendJson(res, 200, completion('eta', { reasoning_content: 'secretly' }))
    await say(id, 'theta')
    t.strictSame([await find('eta'), await find('secretly')], [['T'], []], 'no reasoning')
  })

  t.test(`${name}: metadata narrows the list, alone and with words`, async (t) => {
    const { create, call } = await startStateful(t, { DB_URL: await makePlace(t) })
    const given: Record<string, Record<string, string>> = {
      one: { topic: 'tea', lang: 'de' },
      two: { topic: 'tea' },
      three: { topic: '"tea"', 'a[b]': '%' },
      four: {}
    }
    for (const [title, metadata] of Object.entries(given)) await create({ title: `${title} x`, metadata })
    const cases: [query: string, titles: string[]][] = [
      ['metadata[topic]=tea', ['two', 'one']],
      ['metadata[topic]=tea&metadata[lang]=de', ['one']],
      ['metadata[topic]=%22tea%22', ['three']],
      ['metadata[topic]=te', []],
      ['metadata[lang]=', []],
      ['metadata[topic]=tea&limit=1', ['two']],
      ['metadata[topic]=tea&order=asc', ['one', 'two']],
      ['metadata[topic]=tea&q=x', ['two', 'one']],
      ['metadata[topic]=tea&q=one', ['one']],
      ['q=x', ['four', 'three', 'two', 'one']]
    ]
    for (const [query, titles] of cases) {
      const { json } = await call(`/conversations?${query}`)
      t.strictSame(
        json.data.map((entry: { title: string }) => entry.title.split(' ')[0]),
        titles,
        query
      )
    }
  })
}

t.test('a session finds its own alone', async (t) => {
  const { call } = await startStateful(t, { AUTH: 'header' })
  await call('/conversations', { body: { title: 'secret tea', metadata: { a: 'b' } }, headers: ALICE })
  const find = async (query: string, headers: Record<string, string>) =>
    (await call(`/conversations?${query}`, { headers })).json.data.length
  for (const query of ['q=tea', 'metadata[a]=b']) {
    t.strictSame([await find(query, ALICE), await find(query, BOB)], [1, 0])
  }
})

/** Queries that the list refuses, and the field that each is refused for. */
async function refusals(t: Test) {
  const { call } = await startStateful(t)
  const keys = Array.from({ length: 17 }, (_, i) => `metadata[k${i}]=v`).join('&')
  const cases: [query: string, param: string | RegExp][] = [
    ['q=', 'q'],
    ['q=%20%2B%2D', 'q'],
    ['q=%F0%9F%98%80', 'q'],
    [`q=${'x'.repeat(513)}`, 'q'],
    ['q[]=x', 'q'],
    ['metadata=x', 'metadata'],
    ['metadata[]=x', 'metadata'],
    ['metadata[a][b]=x', /^metadata/],
    [`metadata[k]=${'v'.repeat(513)}`, 'metadata.k'],
    [`metadata[${'k'.repeat(65)}]=v`, /^metadata/],
    [keys, 'metadata'],
    ['limit=0&q=x', 'limit'],
    ['limit=101&q=x', 'limit'],
    ['after=x&q=x', 'after']
  ]
  for (const [query, param] of cases) {
    isErrorReply(t, await call(`/conversations?${query}`), 400, { param }, query.slice(0, 40))
  }
}
t.test('a search that cannot be is a 400 that names the field', refusals)

t.test('metadata of more than OpenAI allows is refused wherever it is given', async (t) => {
  const { call, create, respond, chat, upstream } = await startStateful(t)
  const id = await create()
  const pairs = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']))
  const bad: [metadata: unknown, param: string | RegExp][] = [
    [pairs(17), 'metadata'],
    [{ k: 'v'.repeat(513) }, 'metadata.k'],
    [{ ['k'.repeat(65)]: 'v' }, /^metadata/],
    [{ k: 1 }, 'metadata.k'],
    ['x', 'metadata'],
    [[], 'metadata']
  ]
  const messages = [{ role: 'user', content: 'x' }]
  const places: [path: string, body: object][] = [
    ['/conversations', {}],
    [`/conversations/${id}`, {}],
    ['/chat/completions', { messages }],
    ['/responses', { input: 'x' }]
  ]
  for (const [path, body] of places) {
    for (const [metadata, param] of bad) {
      const res = await call(path, { body: { ...body, metadata } })
      isErrorReply(t, res, 400, { param }, `${path.slice(0, 15)} ${JSON.stringify(metadata).slice(0, 20)}`)
    }
  }
  t.equal(upstream.calls.length, 0)
  const most = { ...pairs(15), ['k'.repeat(64)]: '😀'.repeat(256) }
  t.equal((await chat({ metadata: most })).status, 200)
  t.equal((await respond('x', { metadata: most })).status, 200)
})
