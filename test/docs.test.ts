import diagnostics from 'node:diagnostics_channel'
import { existsSync, globSync } from 'node:fs'
import path from 'node:path'
import { parseEnv } from 'node:util'
import { errorCodes, type FastifyInstance } from 'fastify'
import t from 'tap'
import type { TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { loadConfig } from '../config.ts'
import { FAILURES, type Failure } from '../plugins/proxy/endings.ts'
import { EXPOSED_HEADERS } from '../plugins/proxy/headers.ts'
import { KNOWN_HEADERS } from '../routes/known-clients.ts'
import { AnyObject, ConversationView, ListView, TurnView } from '../routes/shapes.ts'
import { StatsView } from '../routes/stats.ts'
import { SettingsSchema } from '../settings.ts'
import { startApp } from './helper/app.ts'
import {
  codeBlocks,
  codeIn,
  headingAnchors,
  readSource,
  relativeLinks,
  tables,
  tableUnder
} from './helper/doc-tables.ts'
import { runSnippet } from './helper/run-snippet.ts'

const ROOT = path.join(import.meta.dirname, '..')
const readme = readSource('README.md')
const api = readSource('docs/api.md')
const openai = readSource('docs/openai.md')
const failures: Failure[] = Object.values(FAILURES)
const settings = Object.entries(
  SettingsSchema.properties as Record<string, TSchema & { default?: unknown; description?: string }>
)

t.test('the endpoints in the README are the routes of the app', async (t) => {
  const routes: string[] = []
  const listen = (message: unknown) =>
    (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', ({ method, url }) => {
      const wire = url.replace('*', '{id}').replaceAll(/:(\w+)/g, '{$1}')
      routes.push(...[method].flat().map((name) => `${name} ${wire}`))
    })
  diagnostics.subscribe('fastify.initialization', listen)
  t.teardown(() => diagnostics.unsubscribe('fastify.initialization', listen))
  await startApp(t, { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' }) // the demo would add routes of its own
  // The parts of a page are its own business.
  const ours = routes.filter(
    (route) =>
      !/^(HEAD|OPTIONS) |^GET \/(docs\/(yaml|static\/.+|)|(console|client|node_modules)\/.+)$/.test(route)
  )
  t.same(
    tableUnder(readme, 'Endpoints')
      .map(([call]) => codeIn(call))
      .sort(),
    ours.sort()
  )
})

t.test('the settings in docs/configuration.md are those of the schema, word for word', async (t) => {
  const expected = settings.map(([name, schema]) => [
    `\`${name}\``,
    schema.default === undefined ? '–' : `\`${schema.default}\``,
    schema.description
  ])
  const documented = tables(readSource('docs/configuration.md'))
  t.same(documented, expected)
  const main = tableUnder(readme, 'Settings')
  t.same(
    main,
    expected.filter(([name]) => main.some(([shown]) => shown === name)),
    'as are those in the README'
  )
})

t.test('.env.example names every setting with its default', async (t) => {
  const uncommented = readSource('.env.example').replaceAll(/^# (?=[A-Z_]+=)/gm, '')
  const given = parseEnv(uncommented) as Record<string, string>
  t.same(Object.keys(given).sort(), settings.map(([name]) => name).sort())
  for (const [name, schema] of settings) t.equal(given[name], String(schema.default ?? ''), name)
  const filled = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''))
  t.same(loadConfig(filled), loadConfig({}), 'it changes nothing as it stands')
})

t.test('the headers in the README are those that the code reads and shows', async (t) => {
  const sources = globSync(['routes/*.ts', 'plugins/identity/*.ts'], { cwd: ROOT }).map(readSource).join('\n')
  const reads = sources.matchAll(/(?:headers(?:\.(?=authorization)|\[')|_HEADER = ')([a-z-]+)/g)
  // What browsers say of the page, and no client sets.
  const read = [...reads].map(([, name]) => `${name} request`).filter((row) => !row.startsWith('sec-fetch-'))
  const shown = EXPOSED_HEADERS.map((name) => `${name} answer`)
  const documented = tableUnder(readme, 'Headers').map(([name, direction]) => `${codeIn(name)} ${direction}`)
  t.same(documented.sort(), [...new Set([...read, ...shown])].sort())
})

t.test('the headers of clients in docs/threading.md are those that are read, in their order', async (t) => {
  const documented = tableUnder(readSource('docs/threading.md'), 'Headers of known clients')
  t.same(
    documented.map(([header, names]) => [codeIn(header), names]),
    KNOWN_HEADERS
  )
})

t.test('the errors in the README are those of the sources', async (t) => {
  // What the demo upstream says is the answer of an upstream.
  const files = globSync(['*.ts', 'plugins/**/*.ts', 'routes/*.ts'], { cwd: ROOT })
  const sources = files
    .filter((file) => !file.includes('demo-upstream'))
    .map(readSource)
    .join('\n')
  const thrown = sources.matchAll(/(?:new ApiError|tell)\(\s*(\d{3}),\s*'(\w+)'/g)
  const told = sources.matchAll(/(?:return \{|Notice = \{)\s*statusCode: (\d{3}),\s*code: '(\w+)'/g)
  const fastify = sources.matchAll(/(FST_\w+): \[\s*(?:(\d{3}),\s*)?'(\w+)'/g)
  const expected = [
    ...[...thrown, ...told].map(([, status, code]) => `${status} ${code}`),
    ...[...fastify].map(([, name, status, code]) => `${status ?? statusOf(name)} ${code}`),
    ...failures.filter(reachesClient).map(({ statusCode, code, error }) => `${statusCode} ${code ?? error}`)
  ]
  const documented = tableUnder(readme, 'Errors').map(([status, code]) => `${status} ${codeIn(code)}`)
  t.same(documented.sort(), [...new Set(expected)].sort())
})

t.test('the endings in docs/life-of-a-turn.md are those of the code', async (t) => {
  const rows = tableUnder(readSource('docs/life-of-a-turn.md'), 'Endings').filter(
    ([, , error]) => error !== '–'
  )
  const lost = { status: 'incomplete', error: 'server_lost' }
  t.same(
    unique(rows.map(([, status, error]) => `${codeIn(status)} ${codeIn(error)}`)),
    unique([...failures, lost].map(({ status, error }) => `${status} ${error}`))
  )
  const told = rows.flatMap(([, , error, seen]) => {
    const [, status, code] = /^(\d{3}) `(\w+)`/.exec(seen ?? '') ?? []
    return status ? [`${codeIn(error)}: ${status} ${code}`] : []
  })
  const toTell = failures.filter(
    (failure) => reachesClient(failure) && failure !== FAILURES.answeredWithError
  )
  t.same(
    unique(told),
    unique(toTell.map(({ statusCode, code, error }) => `${error}: ${statusCode} ${code ?? error}`))
  )
  const union = /export type TurnErrorCode =([^\n]*\n(?: +\|.*\n)*)/.exec(readSource('storage/records.ts'))
  const codes = [...(union?.[1] ?? '').matchAll(/'(\w+)'/g)].map(([, code]) => code ?? '')
  t.same(unique(rows.map(([, , error]) => codeIn(error))), unique(codes))
})

t.test('the JSON examples of the documents have the shape of the answers', async (t) => {
  const examples = (document: string) =>
    codeBlocks(document, 'json').map((json) => JSON.parse(json) as { object: string })
  const views: [string, TSchema, string][] = [
    [api, ConversationView, 'conversation'],
    [api, ListView(TurnView), 'list'],
    [api, StatsView, 'stats'],
    [openai, ListView(AnyObject), 'list']
  ]
  for (const [document, view, object] of views) {
    const example = examples(document).find((candidate) => candidate.object === object)
    t.ok(Value.Check(view, example), `${object}: nothing is missing`)
    t.same(Value.Clean(view, structuredClone(example)), example, `${object}: nothing is too much`)
  }
})

t.test('the snippets of the README work as pasted', async (t) => {
  const { url } = await startApp(t)
  const list = async () => (await (await fetch(`${url}/v1/conversations`)).json()).data
  const shell = codeBlocks(readme, 'sh').filter((block) => block.includes('curl'))
  const printed = await runSnippet(t, 'sh', shell.join('\n'), url)
  for (const part of ['data: [DONE]', '"title":"Hello"', '"user_text":"Hello"', '"deleted":true']) {
    t.ok(printed.includes(part), `curl prints ${part}`)
  }
  t.same(await list(), [], 'curl has deleted its conversation')

  const [script, ...others] = codeBlocks(readme, 'js')
  t.equal(others.length, 0, 'there is one JavaScript snippet')
  const logged = await runSnippet(t, 'js', script ?? '', url)
  for (const part of ["This is Turnkeeper's built-in demo", "user_text: 'Hello'", 'deleted: true']) {
    t.ok(logged.includes(part), `the script prints ${part}`)
  }
  t.same(await list(), [], 'the script has deleted its conversation')
})

t.test('the commands of docs/api.md work in their order', async (t) => {
  const { url } = await startApp(t)
  const printed = await runSnippet(t, 'sh', codeBlocks(api, 'sh').join('\n'), url)
  const parts = [
    'You sent 4 messages; the last one says: “How do I get there?”',
    'idempotent-replayed: true',
    '"seq":2,"parent_seq":1,"superseded":false',
    '"seq":3,"parent_seq":1,"superseded":true',
    '"last_seq":4',
    '"title":"What is the capital of Norway?"',
    '"pinned":true',
    '"deleted":true',
    '"object":"conversation.bulk_deleted","deleted":2,"has_more":false'
  ]
  for (const part of parts) t.ok(printed.includes(part), `they print ${part}`)
})

t.test('the scripts of docs/api.md work in their order', async (t) => {
  const { url } = await startApp(t)
  const logged = await runSnippet(t, 'js', codeBlocks(api, 'js').join('\n'), url)
  const parts = ['You sent 3 messages', 'the same answer: true', "[ 'What is the capital of Norway?' ]"]
  for (const part of parts) t.ok(logged.includes(part), `they print ${part}`)
})

t.test('the snippets of docs/openai.md work in their order', async (t) => {
  const { url } = await startApp(t)
  const printed = await runSnippet(t, 'sh', codeBlocks(openai, 'sh').join('\n'), url)
  const answered = ['"text":"My name is Ada."', 'You sent 2 messages', '"object":"response","deleted":true']
  for (const part of answered) t.ok(printed.includes(part), `curl prints ${part}`)

  const logged = await runSnippet(t, 'js', codeBlocks(openai, 'js').join('\n'), url)
  const shown = [
    /msg_\w+ message\nfc_\w+ function_call\nfco_\w+ function_call_output\n/,
    /deleted an item of conv_/,
    /metadata: { ticket: '17' }/,
    /What is a turn\?\n/,
    /deleted: true/,
    /You sent 3 messages; the last one says: “How do I get there\?”/,
    /1 item was sent/
  ]
  for (const part of shown) t.match(logged, part, `the script prints ${part}`)
})

t.test('every promise in SECURITY.md names a test that one of the commands runs', async (t) => {
  const rows = tableUnder(readSource('SECURITY.md'), 'Checklist')
  t.ok(rows.length > 20)
  for (const [promise, tests] of rows) {
    const named = relativeLinks(tests ?? '')
    t.ok(named.length > 0, `${promise}`)
    for (const file of named)
      t.match(
        file,
        /^test\/(hard\/[^/]+\.hard|browser\/[^/]+\.browser|(?!hard\/|integration\/).+\.test)\.ts$/,
        `${promise}`
      )
  }
})

t.test('every relative link in the documents leads somewhere', async (t) => {
  const documents = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md'], { cwd: ROOT })
  t.ok(documents.includes('README.md') && documents.includes('docs/api.md'))
  for (const document of documents) {
    for (const link of relativeLinks(readSource(document))) {
      const [file, anchor] = link.split('#') as [string, string | undefined]
      const target = file ? path.join(path.dirname(document), file) : document
      t.ok(existsSync(path.join(ROOT, target)), `${document}: ${link}`)
      if (anchor)
        t.ok(headingAnchors(readSource(target)).includes(anchor), `${document}: ${link} is a heading`)
    }
  }
})

function unique(values: string[]): string[] {
  return [...new Set(values)].sort()
}

/** Whether anybody is left to be told. */
function reachesClient(failure: Failure): boolean {
  return failure !== FAILURES.disconnect
}

function statusOf(name: string | undefined): number | undefined {
  const make = errorCodes[name as keyof typeof errorCodes]
  return new make('').statusCode
}
