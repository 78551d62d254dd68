import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, globSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { tempFolder } from '../helper/app.ts'
import { type Mutant, predicatesIn } from '../helper/predicates.ts'

const ROOT = path.join(import.meta.dirname, '../..')
const COPIED = ['*.ts', 'package.json', '{client,console,migrations,plugins,routes,storage,test}/**/*']
const AT_ONCE = 2

/** Lines whose predicate another one repeats, so that nobody can tell when it is gone; and why it is there. */
const REDUNDANT: Record<string, string> = {
  'const document = summary.session_id === sessionId ? await find(sessionId, id) : null':
    'it spares reading the files of others; find() looks again, at the file itself'
}

interface Case extends Mutant {
  file: string
  drivers: string[]
}

/** Runs all that is held about isolation in `folder`; the first thing that does not hold, or null. */
async function firstFailure(folder: string, driver: string): Promise<string | null> {
  const child = spawn(process.execPath, ['--no-warnings', 'test/isolation/one.ts', driver], {
    cwd: folder,
    env: { PATH: process.env.PATH, TAP_BAIL: '1', ...given('TEST_DB_URL') },
    stdio: ['ignore', 'pipe', 'ignore']
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  const [code] = await once(child, 'close')
  if (code === 0) return null
  return /^\s*not ok \d+ - (.*)/m.exec(output)?.[1] ?? `it ends with ${code}`
}

function given(name: string): Record<string, string> {
  const value = process.env[name]
  return value === undefined ? {} : { [name]: value }
}

function copySources(to: string): void {
  for (const file of COPIED.flatMap((pattern) => globSync(pattern, { cwd: ROOT }))) {
    if (!path.extname(file)) continue // a folder
    mkdirSync(path.dirname(path.join(to, file)), { recursive: true })
    cpSync(path.join(ROOT, file), path.join(to, file))
  }
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(to, 'node_modules'))
}

function driversOf(file: string): string[] {
  if (file.includes('postgres')) return ['postgres']
  if (file.includes('/sql/') || file.includes('sqlite')) return ['sqlite']
  return file.includes('filejson') ? ['filejson'] : ['filejson', 'sqlite']
}

t.test(
  'without its session, every statement of every driver fails a test',
  { timeout: 600_000 },
  async (t) => {
    const folders = Array.from({ length: AT_ONCE }, () => tempFolder(t))
    for (const folder of folders) copySources(folder)
    const [copy = ''] = folders
    const files = globSync('storage/drivers/**/*.ts', { cwd: copy }).sort()
    const cases: Case[] = []
    for (const file of files) {
      const source = readFileSync(path.join(copy, file), 'utf8')
      const found = predicatesIn(source)
      // Of a key, its id is what the session is of a conversation.
      const ofKeys = /api-keys/.test(file) ? predicatesIn(source, /^id$/).mutants : []
      t.strictSame(found.unknown, [], `${file}: every comparison is understood`)
      for (const mutant of [...found.mutants, ...ofKeys])
        cases.push({ ...mutant, file, drivers: driversOf(file) })
    }
    t.ok(cases.length >= 25, `${cases.length} predicates are found`)

    const drivers = [...new Set(cases.flatMap((one) => one.drivers))]
    for (const driver of drivers)
      t.equal(await firstFailure(copy, driver), null, `${driver}: all holds as it is`)

    let caught = 0
    const waiting = [...cases]
    await Promise.all(
      folders.map(async (folder) => {
        for (let next = waiting.shift(); next; next = waiting.shift()) {
          const { file, line, predicate, source } = next
          const original = readFileSync(path.join(folder, file), 'utf8')
          writeFileSync(path.join(folder, file), source)
          let failure: string | null = null
          for (const driver of next.drivers) failure ??= await firstFailure(folder, driver)
          writeFileSync(path.join(folder, file), original)
          const redundant = REDUNDANT[original.split('\n')[line - 1]?.trim() ?? '']
          if (failure) caught += 1
          t.equal(failure === null, redundant !== undefined, `${file}:${line} ${predicate}`)
          t.comment(
            `${file}:${line}: ${failure ? `caught by: ${failure}` : `not caught: ${redundant ?? '?'}`}`
          )
        }
      })
    )
    t.comment(`${caught} of ${cases.length} mutants caught`)
  }
)
