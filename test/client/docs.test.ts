import { execFile } from 'node:child_process'
import { globSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { startApp, tempFolder } from '../helper/app.ts'
import { codeBlocks, codeIn, readSource, tableUnder } from '../helper/doc-tables.ts'
import { runSnippet } from '../helper/run-snippet.ts'

const ROOT = path.join(import.meta.dirname, '../..')
const frontend = readSource('docs/frontend.md')

t.test('the scripts of docs/frontend.md work in their order', async (t) => {
  const { url } = await startApp(t)
  const logged = await runSnippet(t, 'js', codeBlocks(frontend, 'js').join('\n'), url)
  const parts = [
    /^This is Turnkeeper's built-in demo/,
    /completed conv_[0-9a-f]{32} 1\n/,
    /conv_\w+ Hello false\nHello\n/,
    /\{ conversationId: 'conv_\w+', turnId: 'turn_\w+', seq: 1 \}|conversationId: 'conv_\w+',\n/,
    /\[ 'What is a turn\?', 'What is a turn\?', 'What is a thread\?' \]/,
    /404 conversation_not_found .+\. null null\n/,
    /\nWhat is a turn\?\nnull\n/,
    /\n1 conv_\w+\n\{\n {2}messages: \[\n {4}\{ seq: 3, role: 'user', content: 'What is a thread\?' \},/,
    /next_after_seq: null/,
    /deleted: true/
  ]
  for (const part of parts) t.match(logged, part)
})

t.test("the client's own codes in docs/frontend.md are those of its sources", async (t) => {
  const sources = globSync('client/*.js', { cwd: ROOT }).map(readSource).join('\n')
  const codes = [...sources.matchAll(/code: '(\w+)'/g)].map(([, code]) => code)
  t.ok(codes.length > 3)
  const documented = tableUnder(frontend, 'Errors').map(([code]) => codeIn(code))
  t.strictSame(documented.sort(), [...new Set(codes)].sort())
  const told = readSource('client/index.d.ts')
  for (const code of documented) t.ok(told.includes(`\`${code}\``), `index.d.ts tells of ${code}`)
})

// Neither is among the dependencies: what the examples take from them is declared as far as they use it.
const REACT = `declare module 'react' {
  type Set<T> = (next: T | ((last: T) => T)) => void
  export function useState<T>(): [T | undefined, Set<T | undefined>]
  export function useState<T>(first: T): [T, Set<T>]
  export function useEffect(effect: () => void | (() => void), on: unknown[]): void
  export function useRef<T>(first: T): { current: T }
}
declare namespace JSX {
  interface IntrinsicAttributes { key?: string }
  interface Handlers { onClick?: () => unknown; onChange?: (event: { target: { value: string } }) => unknown }
  interface IntrinsicElements { [name: string]: Handlers & { [name: string]: unknown } }
}`
const SVELTE = 'declare function $state<T>(first: T): T'

t.test('the examples for React and Svelte keep to the types of the client', async (t) => {
  const [react, svelte] = [codeBlocks(frontend, 'tsx'), codeBlocks(frontend, 'svelte')]
  t.equal(react.length + svelte.length, 2)
  const [, script = '', markup = ''] =
    /^<script lang="ts">\n(.*?)<\/script>\n(.*)$/s.exec(svelte[0] ?? '') ?? []
  // Every handler of the markup, as code that knows what the markup knows.
  const handlers = [...markup.matchAll(/onclick=\{(.*?)\}(?=[\s>])/g)].map(
    ([, handler]) => `void (${handler})`
  )
  t.equal(handlers.length, 7)
  const within = `function markup(one: Conversation, turn: Turn) {\n${handlers.join('\n')}\nreturn hasMore && hasEarlier && error }\nvoid markup`
  const compiled = async (reactSource: string, svelteSource: string) => {
    const folder = tempFolder(t)
    mkdirSync(path.join(folder, 'node_modules/@turnkeeper'), { recursive: true })
    symlinkSync(path.join(ROOT, 'client'), path.join(folder, 'node_modules/@turnkeeper/client'))
    const files = {
      'react.tsx': reactSource,
      'react-types.d.ts': REACT,
      'svelte.ts': svelteSource,
      'svelte-types.d.ts': SVELTE,
      'tsconfig.json': JSON.stringify({
        compilerOptions: {
          strict: true,
          noUnusedLocals: true,
          target: 'es2022',
          lib: ['es2023', 'dom'],
          module: 'esnext',
          moduleResolution: 'bundler',
          jsx: 'preserve',
          types: [],
          noEmit: true
        }
      })
    }
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text)
    const tsc = ['-c', 'unset NODE_OPTIONS; exec "$@"', 'sh', path.join(ROOT, 'node_modules/.bin/tsc')]
    return promisify(execFile)('sh', [...tsc, '--pretty', 'false'], { cwd: folder }).then(
      () => 'no errors',
      (error: { stdout: string; stderr: string }) => error.stdout + error.stderr
    )
  }
  const sveltes = script + within
  t.equal(await compiled(react[0] ?? '', sveltes), 'no errors')
  const wrong = [react[0] ?? '', sveltes].map((text) =>
    text.replaceAll('client.turns.list', 'client.turn.list')
  )
  t.match(await compiled(wrong[0] ?? '', wrong[1] ?? ''), /^react\.tsx.*TS2551.*\nsvelte\.ts.*TS2551/s)
})
