import { globSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import path from 'node:path'
import t from 'tap'

const ROOT = path.join(import.meta.dirname, '..')
const SOURCES = ['*.ts', '{migrations,plugins,routes,storage}/**/*.ts', '{client,console}/**/*.{js,ts}']

interface Import {
  /** The file that imports, from the root. */
  from: string
  /** A file of ours from the root, or a package's name. */
  to: string
  ours: boolean
  typeOnly: boolean
}

const STATEMENT = /^(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]/gm
const DYNAMIC = /\bimport\(\s*['"`]([^'"`]+)['"`]/g

function importsOf(from: string): Import[] {
  const code = readFileSync(path.join(ROOT, from), 'utf8')
  const found = [
    ...[...code.matchAll(STATEMENT)].map((match) => ({
      to: match[2] ?? '',
      typeOnly: match[1] !== undefined
    })),
    ...[...code.matchAll(DYNAMIC)].map((match) => ({ to: match[1] ?? '', typeOnly: false }))
  ]
  return found.map(({ to, typeOnly }) => {
    const file = path.posix.join(path.posix.dirname(from), to)
    const ours = to.startsWith('.') && !file.startsWith('node_modules/') // browsers find libraries by their path
    return { from, typeOnly, ours, to: to.startsWith('.') ? file : to }
  })
}

const files = SOURCES.flatMap((pattern) => globSync(pattern, { cwd: ROOT }))
const all = files.flatMap(importsOf)
const text = ({ from, to }: Import) => `${from} -> ${to}`
const within =
  (...folders: string[]) =>
  (file: string) =>
    folders.some((folder) => file.startsWith(folder))
const isFastify = (name: string) => /^(fastify($|\/|-)|@fastify\/)/.test(name)
const isHttp = (name: string) => /^(node:)?(http|https|http2|net|tls)$|^undici$/.test(name) || isFastify(name)
const isDriverPackage = (name: string) => /^(kysely|better-sqlite3|pg)($|\/|-)/.test(name)

t.test('the reader of imports sees the imports', (t) => {
  t.ok(files.length > 30)
  const seen = all.map(text)
  for (const known of [
    'server.ts -> app.ts',
    'server.ts -> node:fs',
    'app.ts -> fastify',
    'storage/open-store.ts -> storage/drivers/sqlite.ts',
    'plugins/proxy/relay.ts -> storage/persistence.ts',
    'migrations/0001_turns.ts -> kysely'
  ]) {
    t.ok(seen.includes(known), known)
  }
  const dangling = all.filter(({ to, ours }) => ours && !files.includes(to))
  t.same(dangling.map(text), [], 'every path leads to a source file, with its extension')
  t.end()
})

/** [what holds, which imports it is about, which of those are against it] */
type Rule = [title: string, applies: (i: Import) => boolean, broken: (i: Import) => boolean]

const RULES: Rule[] = [
  [
    "only server.ts and the maker of the client's types import app.ts, and nobody imports server.ts",
    ({ from, to }) =>
      to === 'server.ts' ||
      (to === 'app.ts' && from !== 'server.ts' && from !== 'client/generate/write-schema.ts'),
    () => true
  ],
  [
    'config.ts and errors.ts are at the bottom',
    ({ from }) => /^(config|settings|errors|from-text)\.ts$/.test(from),
    ({ to, ours }) => ours && to !== 'from-text.ts' && to !== 'settings.ts'
  ],
  [
    'storage/ imports nothing of ours but storage/',
    ({ from }) => within('storage/')(from),
    ({ to, ours }) => ours && !within('storage/')(to)
  ],
  ['storage/ knows no HTTP', ({ from }) => within('storage/')(from), ({ to }) => isHttp(to)],
  [
    'open-store.ts alone names the drivers',
    ({ to }) => within('storage/drivers/')(to),
    ({ from }) => from !== 'storage/open-store.ts' && !within('storage/drivers/')(from)
  ],
  [
    'database packages stay in storage/drivers/ and migrations/',
    ({ to }) => isDriverPackage(to),
    ({ from }) => !within('storage/drivers/', 'migrations/', 'storage/transfer/old-database.ts')(from)
  ],
  [
    'the contract and the facade are below the registry',
    ({ from }) => /^storage\/(contract|persistence)\.ts$/.test(from),
    ({ to }) => to === 'storage/open-store.ts' || within('storage/drivers/')(to)
  ],
  [
    'the contract imports nothing but its own records',
    ({ from }) => /^storage\/(contract|records)\.ts$/.test(from),
    ({ from, to }) => from === to || to !== 'storage/records.ts'
  ],
  [
    'drivers do not use the facade or the registry as code',
    ({ from }) => within('storage/drivers/')(from),
    ({ to, typeOnly }) => /^storage\/(persistence|open-store|recovery)\.ts$/.test(to) && !typeOnly
  ],
  [
    'plugins/ imports no route, and neither app.ts nor server.ts',
    ({ from }) => within('plugins/')(from),
    ({ to }) => within('routes/', 'app.ts', 'server.ts')(to)
  ],
  [
    'in plugins/proxy only index.ts knows Fastify',
    ({ from }) => within('plugins/proxy/')(from) && from !== 'plugins/proxy/index.ts',
    ({ to }) => isFastify(to)
  ],
  [
    "plugins/proxy uses no other plugin's code",
    ({ from }) => within('plugins/proxy/')(from),
    ({ to }) => within('plugins/')(to) && !within('plugins/proxy/')(to)
  ],
  [
    'routes/ takes from plugins/ the pure parts of proxy/ alone',
    ({ from }) => within('routes/')(from),
    ({ to }) =>
      within('plugins/')(to) &&
      (!within('plugins/proxy/')(to) || /proxy\/(index|relay|upstream|live-exchanges)\.ts$/.test(to))
  ],
  [
    'routes/ takes the store and the upstream from the decorators',
    ({ from }) => within('routes/')(from),
    ({ to }) => to === 'storage/open-store.ts' || to === 'undici' || within('storage/drivers/')(to)
  ],
  [
    'client/ imports nothing but its own parts',
    ({ from }) => within('client/')(from) && !within('client/generate/')(from),
    ({ to }) => !within('client/')(to) || within('client/generate/')(to)
  ],
  [
    'nobody but the console imports client/',
    ({ to }) => within('client/')(to),
    ({ from }) => !within('client/', 'console/')(from)
  ],
  [
    'console/ knows the client and its own parts, and two of them a library',
    ({ from }) => within('console/')(from),
    ({ from, to }) => {
      const knowsLibrary = from === 'console/preact.js' || from === 'console/text/markdown.js'
      if (within('node_modules/')(to)) return !knowsLibrary
      return !within('console/')(to) && !/^client\/index\.(js|d\.ts)$/.test(to)
    }
  ],
  [
    'console/views/ is above console/state/, and that above console/text/',
    ({ from }) => within('console/state/', 'console/text/')(from),
    ({ from, to }) =>
      within('console/views/')(to) || (within('console/text/')(from) && within('console/state/')(to))
  ],
  ['nobody imports console/', ({ from }) => !within('console/')(from), ({ to }) => within('console/')(to)],
  ['migrations/ imports nothing of ours', ({ from }) => within('migrations/')(from), (i) => i.ours],
  ['built-in modules are named with node:', ({ to }) => builtinModules.includes(to), () => true]
]

t.test('no import goes against an arrow', (t) => {
  for (const [title, applies, broken] of RULES) {
    const against = all.filter((one) => applies(one) && broken(one))
    t.same(against.map(text), [], title)
  }
  t.end()
})

t.test('no file is reached from itself', (t) => {
  const edges = new Map(
    files.map((file) => [
      file,
      all.filter((one) => one.from === file && one.ours && !one.typeOnly).map((one) => one.to)
    ])
  )
  for (const start of files) {
    const seen = new Set<string>()
    const open = [...(edges.get(start) ?? [])]
    for (let file = open.pop(); file !== undefined; file = open.pop()) {
      if (!seen.has(file)) open.push(...(edges.get(file) ?? []))
      seen.add(file)
    }
    if (seen.has(start)) t.fail(`${start} imports itself through ${[...seen].join(', ')}`)
  }
  t.ok(edges.size > 30)
  t.end()
})

t.test('server.ts alone reads the environment', (t) => {
  const readers = files.filter((file) =>
    /\bprocess\s*(\.|\?\.)\s*env\b|\benv\b[^}]*}\s*(=\s*process\b|from\s+['"](node:)?process)/.test(
      readFileSync(path.join(ROOT, file), 'utf8')
    )
  )
  t.same(readers, ['server.ts'])
  t.end()
})
