import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { startApp, tempFolder } from '../helper/app.ts'

const ROOT = path.join(import.meta.dirname, '../..')
/** All of the package's code, unpacked and with its comments. */
const MAX_CODE_BYTES = 30_000

/** Runs a program without the loader that tap adds to every process. */
function run(folder: string, ...command: string[]) {
  const env = { PATH: process.env.PATH, HOME: folder }
  const bare = ['-c', 'unset NODE_OPTIONS; exec "$@"', 'sh', ...command]
  return promisify(execFile)('sh', bare, { cwd: folder, env })
}

/** A folder in which the package, as it would be published, is installed. */
async function installed(t: Test): Promise<{ folder: string; place: string }> {
  const folder = tempFolder(t)
  const place = path.join(folder, 'node_modules/@turnkeeper/client')
  mkdirSync(place, { recursive: true })
  const { stdout } = await run(folder, 'npm', 'pack', path.join(ROOT, 'client'), '--json')
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
  await run(folder, 'tar', '-xzf', filename, '-C', place, '--strip-components=1')
  return { folder, place }
}

t.test('the package as published works without an installation', async (t) => {
  const { url } = await startApp(t)
  const { folder, place } = await installed(t)
  const files = readdirSync(place).sort()
  const expected = readdirSync(path.join(ROOT, 'client')).filter((name) =>
    /\.js$|\.d\.ts$|^package/.test(name)
  )
  t.strictSame(files, expected.sort(), 'it has its parts, and no generator')
  const code = files
    .filter((name) => name.endsWith('.js'))
    .map((name) => statSync(path.join(place, name)).size)
  const total = code.reduce((sum, size) => sum + size, 0)
  t.ok(total < MAX_CODE_BYTES, `${total} bytes of code`)
  const manifest = JSON.parse(readFileSync(path.join(place, 'package.json'), 'utf8'))
  t.notOk(manifest.dependencies ?? manifest.scripts, 'it depends on nothing and runs nothing')

  const script = `
    import { createClient, TurnkeeperError } from '@turnkeeper/client'
    const client = createClient({ baseUrl: '${url}/v1' })
    const stream = client.chat.stream({ messages: [{ role: 'user', content: 'Hi' }] })
    let text = ''
    for await (const piece of stream) text += piece
    const turn = await stream.turn()
    const none = await client.conversations.get('none').catch((error) => error)
    console.log(text === turn.assistant_text, none instanceof TurnkeeperError, none.code)`
  const { stdout } = await run(folder, process.execPath, '--input-type=module', '--eval', script)
  t.equal(stdout, 'true true conversation_not_found\n')
})

t.test('a strict TypeScript program compiles against the package as published', async (t) => {
  const { folder } = await installed(t)
  const tsc = path.join(ROOT, 'node_modules/.bin/tsc')
  const compile = async (source: string, options: object) => {
    writeFileSync(path.join(folder, 'app.ts'), source)
    writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }')
    const common = {
      strict: true,
      exactOptionalPropertyTypes: true,
      target: 'es2022',
      types: [],
      noEmit: true
    }
    const config = { compilerOptions: { ...common, ...options }, files: ['app.ts'] }
    writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(config))
    return run(folder, tsc, '--pretty', 'false').then(
      () => 'no errors',
      (error: { stdout: string; stderr: string }) => error.stdout + error.stderr
    )
  }
  const browser = {
    lib: ['es2022', 'dom', 'dom.asynciterable'],
    module: 'esnext',
    moduleResolution: 'bundler'
  }
  const node = { lib: ['es2022', 'dom'], module: 'nodenext' }
  for (const options of [browser, node]) t.equal(await compile(APP, options), 'no errors', options.module)

  const wrong: [line: string, error: RegExp][] = [
    ['client.conversations.list({ order: "up" })', /TS2322/],
    ['client.turns.get("conv_1", "2")', /TS2345/],
    ['client.conversations.update("conv_1", { name: "x" })', /TS2353/],
    ['client.chat.stream({})', /TS2741/],
    ['client.chat.create({ messages: [], stream: true })', /TS2322/],
    ['client.turns.get("conv_1", 2).then((turn) => turn.text)', /TS2339/],
    ['client.turns.get("conv_1", 2).then((turn) => turn.assistant_text.length)', /TS18047/]
  ]
  const errors = await compile(`${APP}\n${wrong.map(([line]) => line).join('\n')}\n`, browser)
  for (const [i, [line, error]] of wrong.entries()) {
    const at = APP.split('\n').length + i + 1
    const found = errors.split('\n').find((text) => text.includes(`app.ts(${at},`))
    t.match(found ?? 'no error', error, line)
  }
})

const APP = `import {
  type ChatChunk, type Client, type Conversation, createClient, type Filed, type Page, type Turn, TurnkeeperError
} from '@turnkeeper/client'

const client: Client = createClient({ baseUrl: 'https://chat.example/v1', apiKey: async () => undefined })

export async function use(id: string): Promise<string[]> {
  const made: Conversation = await client.conversations.create({ title: 'Plans', metadata: { project: 'docs' } })
  const titles: (string | null)[] = []
  for await (const { title } of client.conversations.list({ q: 'norway', limit: 10 })) titles.push(title)
  const pages: AsyncIterableIterator<Page<Turn>> = client.turns.list(id, { order: 'desc' }).pages()
  const { value } = await pages.next()
  const seqs: number[] = (value as Page<Turn>).data.map(({ seq }) => seq)
  const signal = AbortSignal.timeout(1_000)
  const stream = client.chat.stream({ messages: [{ role: 'user', content: 'Hi' }], temperature: 0 }, { parentSeq: 1, signal })
  const filed: Filed | null = await stream.filed
  for await (const chunk of stream.chunks()) {
    const { choices, usage }: ChatChunk = chunk
    console.log(choices[0]?.delta?.content ?? '', usage)
  }
  const turn: Turn | null = await stream.turn()
  const { days } = await client.stats.get({ days: 7 })
  try {
    await client.conversations.delete(made.id, { keepalive: true })
  } catch (error) {
    if (error instanceof TurnkeeperError && error.status === 404) console.log(error.code, error.retryAfterSeconds)
  }
  return [...seqs.map(String), filed?.turnId ?? '', turn?.assistant_text ?? '', days[0]?.date ?? '', ...titles.flatMap((t) => t ?? [])]
}
`
