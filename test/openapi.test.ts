import diagnostics from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { finishDocument } from '../plugins/api-document.ts'
import { startApp, tempFolder } from './helper/app.ts'
import { documentAt, follow, objectsIn, operationsOf } from './helper/openapi.ts'
import { request } from './helper/request.ts'

const UPSTREAM = { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' } // nobody listens, and the demo has routes of its own
const JWT = {
  AUTH: 'jwt',
  JWT_JWKS_URL: 'https://issuer.example/keys',
  JWT_ISSUER: 'issuer',
  JWT_AUDIENCE: 'audience'
}
const duplicates = (values: string[]) => values.filter((value, index) => values.indexOf(value) !== index)

t.test('every registered route is in the document, and nothing else is', async (t) => {
  const routes: string[] = []
  const listen = (message: unknown) =>
    (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', ({ method, url, schema }) => {
      const wire = url.replace('*', '{id}').replaceAll(/:(\w+)/g, '{$1}')
      if (!schema?.hide) routes.push(...[method].flat().map((name) => `${name} ${wire}`))
    })
  diagnostics.subscribe('fastify.initialization', listen)
  t.teardown(() => diagnostics.unsubscribe('fastify.initialization', listen))
  const { url } = await startApp(t, UPSTREAM)
  const operations = operationsOf(await documentAt(url))
  t.ok(operations.length > 20)
  t.same(
    operations.map(({ method, path }) => `${method} ${path}`).sort(),
    routes.filter((route) => !route.startsWith('HEAD ')).sort()
  )
})

t.test('every operation says what it is, and a client can be made from it', async (t) => {
  const { url } = await startApp(t, UPSTREAM)
  const operations = operationsOf(await documentAt(url))
  t.same(duplicates(operations.map(({ id }) => id)), [], 'operation ids are unique')
  for (const { id, method, path, about } of operations) {
    const name = `${method} ${path}`
    t.match(id, /^[a-z][A-Za-z]+$/, `${name}: operationId`)
    t.match(about.summary, /\S/, `${name}: summary`)
    t.equal(about.tags?.length, 1, `${name}: tag`)
    for (const { description } of Object.values<{ description: string }>(about.responses)) {
      t.notMatch(description, /^$|^Default Response$/, `${name}: answers are described`)
    }
    t.match(about.responses[200]?.content, {}, `${name}: success`)
    t.same(
      about.responses.default.content['application/json'].schema,
      { $ref: '#/components/schemas/Error' },
      `${name}: errors`
    )
    t.equal(about.requestBody !== undefined, method === 'POST', `${name}: a body with POST alone`)
  }
})

t.test('the document keeps the rules of OpenAPI', async (t) => {
  const { url } = await startApp(t, { ...UPSTREAM, AUTH: 'header' })
  const document = await documentAt(url)
  t.match(document, { openapi: /^3\.1\.\d$/, info: { title: 'Turnkeeper', version: /\S/ } })
  const refs = objectsIn(document).flatMap(({ $ref }) => ($ref === undefined ? [] : [$ref]))
  for (const ref of new Set(refs)) t.ok(follow(document, ref), `${ref} leads somewhere`)
  const used = refs.map((ref) => ref.split('/').at(-1))
  t.same(
    Object.keys(document.components.schemas).filter((name) => !used.includes(name)),
    [],
    'every component is used'
  )
  for (const { method, path, about } of operationsOf(document)) {
    const name = `${method} ${path}`
    const parameters: { in: string; name: string; required: boolean }[] = about.parameters ?? []
    const placeholders = [...path.matchAll(/\{(\w+)\}/g)].map(([, placeholder]) => placeholder)
    const inPath = parameters.filter((parameter) => parameter.in === 'path')
    t.same(inPath.map((parameter) => parameter.name).sort(), placeholders.sort(), `${name}: path parameters`)
    t.ok(inPath.every(({ required }) => required) && !/[*:]/.test(path), `${name}: path`)
    t.same(duplicates(parameters.map((one) => `${one.in} ${one.name}`)), [], `${name}: parameters once`)
    const others = parameters.filter((parameter) => parameter.in !== 'path')
    const allowed = path === '/v1/conversations' && method === 'DELETE' ? ['metadata'] : []
    t.same(
      others.flatMap((one) => (one.required ? [one.name] : [])),
      allowed,
      `${name}: what has a default may be left out`
    )
    const ignored = /^(accept|content-type|authorization)$/i
    t.notOk(
      others.some((one) => ignored.test(one.name)),
      `${name}: no header that OpenAPI ignores`
    )
    for (const scheme of (about.security ?? []).flatMap(Object.keys)) {
      t.ok(document.components.securitySchemes[scheme], `${name}: ${scheme} is defined`)
    }
  }
})

t.test('answers that stream are documented as JSON and as events', async (t) => {
  const { url } = await startApp(t, UPSTREAM)
  const document = await documentAt(url)
  for (const path of ['/v1/chat/completions', '/v1/responses']) {
    const { content, headers } = document.paths[path].post.responses[200]
    t.same(Object.keys(content), ['application/json', 'text/event-stream'])
    t.match(headers, { 'x-conversation-id': {}, 'x-turn-id': {}, 'x-turn-seq': {} })
  }
})

t.test('AUTH decides how a request says whose it is', async (t) => {
  const cases: [settings: { AUTH: string }, scheme: object | undefined][] = [
    [{ AUTH: 'none' }, undefined],
    [{ AUTH: 'header' }, { type: 'apiKey', in: 'header', name: 'x-session-id' }],
    [{ AUTH: 'key' }, { type: 'http', scheme: 'bearer' }],
    [JWT, { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' }]
  ]
  for (const [settings, scheme] of cases) {
    const { url } = await startApp(t, { ...UPSTREAM, ...settings })
    const document = await documentAt(url)
    t.same(document.components.securitySchemes?.session, scheme, settings.AUTH)
    const { get } = document.paths['/v1/conversations']
    t.same(get.security, scheme ? [{ session: [] }] : [], `${settings.AUTH}: calls of the API`)
    t.equal(document.paths['/livez'].get.security, undefined, `${settings.AUTH}: probes need nothing`)
  }
})

t.test('the document is the same for every store and says nothing of the deployment', async (t) => {
  const folder = tempFolder(t)
  const settings = {
    DB_URL: `filejson:${folder}/canary-folder`,
    OPENAI_BASE_URL: 'http://canary-upstream.example:9/v1',
    OPENAI_API_KEY: 'sk-canary',
    DEFAULT_MODEL: 'canary-model',
    ALLOWED_ORIGIN: 'https://canary.example',
    INSTANCE_ID: 'canary-instance',
    MAX_TURNS_PER_CONVERSATION: '7'
  }
  const other = await request(`${(await startApp(t, settings)).url}/docs/json`)
  const { text } = await request(`${(await startApp(t, UPSTREAM)).url}/docs/json`)
  t.equal(other.text, text)
  t.notMatch(text, /canary|127\.0\.0\.1|localhost|[A-Z]+_[A-Z_]{2,}/, 'no host and no setting')
  t.same(JSON.parse(text).servers, [{ url: '/' }])
})

t.test('two shapes cannot have one name', async (t) => {
  const answer = (schema: object) => ({ get: { responses: { 200: { content: { x: { schema } } } } } })
  const paths = (one: object, other: object) => ({ paths: { '/one': answer(one), '/other': answer(other) } })
  const shape = { title: 'Shape', type: 'object' }
  t.same(finishDocument(paths(shape, shape)), {
    ...paths({ $ref: '#/components/schemas/Shape' }, { $ref: '#/components/schemas/Shape' }),
    components: { schemas: { Shape: { type: 'object' } } }
  })
  t.throws(() => finishDocument(paths(shape, { ...shape, type: 'string' })), /Shape/)
})
