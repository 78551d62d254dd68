import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { tempFolder } from '../helper/app.ts'
import { runServer } from '../helper/run-server.ts'

const SECRET = 'canary-secret'

const user = (content: unknown) => ({ role: 'user', content })
const assistant = (content: string) => ({ role: 'assistant', content })

function answer(content: string): object {
  const choices = [{ index: 0, message: assistant(content), finish_reason: 'stop' }]
  return { id: 'c', object: 'chat.completion', model: 'm', choices }
}

function streamed(content: string): string {
  const chunk = { id: 'c', object: 'chat.completion.chunk', model: 'm' }
  const choices = [{ index: 0, delta: { role: 'assistant', content }, finish_reason: 'stop' }]
  return `data: ${JSON.stringify({ ...chunk, choices })}\n\ndata: [DONE]\n\n`
}

function entry(url: string, body: object | undefined, text: string, encoding?: string): object {
  const content = { size: text.length, mimeType: 'application/json', text, ...(encoding && { encoding }) }
  return {
    startedDateTime: '2026-01-01T00:00:00.000Z',
    request: {
      method: body ? 'POST' : 'OPTIONS',
      url,
      headers: [
        { name: ':authority', value: 'upstream.test' },
        { name: 'Content-Length', value: '7' },
        { name: 'X-Title', value: `${SECRET} – 日本` }
      ],
      ...(body && { postData: { mimeType: 'application/json', text: JSON.stringify(body) } })
    },
    response: { status: 200, content }
  }
}

/** A folder with these files, of which what is no text is written as JSON. */
function folderOf(t: Test, files: Record<string, unknown>): string {
  const folder = path.join(tempFolder(t), 'recordings')
  mkdirSync(folder)
  for (const [name, content] of Object.entries(files)) {
    const text = typeof content === 'string' ? content : JSON.stringify(content)
    writeFileSync(path.join(folder, name), text)
  }
  return folder
}

const lines = (exchanges: object[]): string => exchanges.map((one) => `${JSON.stringify(one)}\n`).join('\n')
const base64 = (text: string): string => Buffer.from(text).toString('base64')

const LONG = `It is ${'a long answer, '.repeat(10)}and has an end.`
const opening = [user('What is it?')]
const asked = [...opening, assistant(LONG), user(`Are you\n sure? ${SECRET}`)]

const HAR = {
  log: {
    version: '1.2',
    entries: [
      entry('https://upstream.test/openai/v1/chat/completions', undefined, ''),
      entry(
        'https://upstream.test/openai/v1/chat/completions?api-version=1',
        { messages: opening, stream: true },
        base64(streamed(LONG)),
        'base64'
      ),
      entry('https://upstream.test/openai/v1/embeddings', { input: 'What is it?' }, '{}'),
      entry(
        'https://upstream.test/openai/v1/chat/completions',
        { messages: asked },
        JSON.stringify(answer('Yes.'))
      )
    ]
  }
}

const LINES = lines([
  { request: { messages: [...asked.slice(0, 2), user('Is it certain?')] }, response: answer('Quite.') },
  { path: '/v1/models', request: {}, response: { data: [] } },
  {
    path: '/api/v1/responses',
    headers: { 'x-session-affinity': 's-1', 'x-number': 5, 'not a name': '' },
    request: { input: 'In items?' },
    response: { id: 'resp_1', object: 'response', status: 'completed', model: 'm', output: [] }
  },
  { request: { messages: opening, store: false }, response: answer('Not kept.') },
  { request: { messages: 'none' }, response: answer('Never.') },
  {
    request: { messages: [user('Generate a title for this conversation:\n')] },
    response: streamed('A title')
  }
])

const REPORT = `\
conversation 1: 3 turns, 1 replaced
  a.har:2                  new                   What is it?
  a.har:4                  exact    replaced     Are you sure? ${SECRET}
  b.jsonl:1                exact                 Is it certain?

conversation 2: 1 turn
  b.jsonl:5                external              In items?

not recorded:
  b.jsonl:7                         store: false What is it?
  b.jsonl:9                         HTTP 400     ${''}
  b.jsonl:11               skipped               Generate a title for this conversation:

7 requests, 2 conversations: exact 2, external 1, new 1, none 2, skipped 1
`

const FILES = { 'a.har': HAR, 'b.jsonl': LINES, 'notes.md': 'no recording', 'c.json': '[' }

t.test('a folder of recordings is reported, and prompts are nowhere but in the report', async (t) => {
  const folder = folderOf(t, FILES)
  const run = await runServer(t, ['threading-report', folder], {})
  t.strictSame(run, { code: 0, stdout: REPORT, stderr: '' })
})

t.test('the settings of the service are not those of the report, and nothing is written', async (t) => {
  const [folder, place] = [folderOf(t, FILES), tempFolder(t)]
  const env = {
    PATH: process.env.PATH,
    HOME: place,
    TMPDIR: place,
    DB_URL: `sqlite:${path.join(place, 'own.db')}`,
    LOG_LEVEL: 'trace',
    THREADING: 'off',
    AUTH: 'header',
    PERSIST_TRANSCRIPTS: 'false',
    OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
    OPENAI_API_KEY: SECRET
  }
  const server = path.join(import.meta.dirname, '../../server.ts')
  const args = ['-u', 'NODE_OPTIONS', process.execPath, server, 'threading-report', folder]
  const { status, stdout, stderr } = spawnSync('env', args, { cwd: place, env, encoding: 'utf8' })
  t.strictSame({ status, stdout, stderr }, { status: 0, stdout: REPORT, stderr: '' })
  t.strictSame(readdirSync(place), [], 'neither where it runs nor where the settings say')
  t.strictSame(readdirSync(folder), Object.keys(FILES).toSorted())
  t.equal(readFileSync(path.join(folder, 'b.jsonl'), 'utf8'), LINES)
})

t.test(
  'what is reported does not depend on a mark of the byte order, or on who ended the lines',
  async (t) => {
    const crlf = LINES.replaceAll('\n', '\r\n')
    const folder = folderOf(t, { 'a.har': `\uFEFF${JSON.stringify(HAR)}`, 'b.jsonl': `\uFEFF${crlf}` })
    const run = await runServer(t, ['threading-report', folder], {})
    t.strictSame(run, { code: 0, stdout: REPORT, stderr: '' })
  }
)

t.test('what cannot be read is one line that names the file and the place, and no text', async (t) => {
  const good = { request: { messages: opening }, response: answer('Yes.') }
  const faults: [Record<string, unknown>, RegExp][] = [
    [{ 'a.jsonl': `${JSON.stringify(good)}\n\n{"request": "${SECRET}` }, /: a\.jsonl:3 is no recording: /],
    [{ 'a.jsonl': { ...good, request: SECRET } }, /: a\.jsonl:1 is no recording: \/request /],
    [{ 'a.jsonl': { ...good, response: [SECRET] } }, /: a\.jsonl:1 is no recording: \/response /],
    [{ 'a.jsonl': { ...good, headers: SECRET } }, /: a\.jsonl:1 is no recording: \/headers /],
    [{ 'a.jsonl': { ...good, path: [SECRET] } }, /: a\.jsonl:1 is no recording: \/path /],
    [{ 'a.jsonl': { request: {} } }, /: a\.jsonl:1 is no recording: .*response/],
    [{ 'a.har': `{"log": "${SECRET}` }, /: a\.har is no HTTP Archive: /],
    [{ 'a.har': { log: { entries: [SECRET] } } }, /: a\.har is no HTTP Archive: \/log\/entries\/0 /],
    [{}, /: no recorded requests in /],
    [{ 'a.json': good, 'b.jsonl': '\n' }, /: no recorded requests in /],
    [{ 'a.jsonl': { ...good, path: '/v1/models' } }, /: no recorded requests in /]
  ]
  for (const [files, expected] of faults) {
    const { code, stdout, stderr } = await runServer(t, ['threading-report', folderOf(t, files)], {})
    t.equal(code, 1, `${expected}: exit code`)
    t.equal(stdout, '')
    t.match(stderr, expected)
    t.match(stderr, /^threading:report: [^\n]+\n$/, 'one line')
    t.notMatch(stderr, SECRET)
  }
})

t.test('a command line that cannot be followed is one line', async (t) => {
  const folder = folderOf(t, FILES)
  const none = path.join(folder, 'none')
  const cases: [string[], RegExp][] = [
    [[], /: give one folder /],
    [[folder, folder], /: give one folder /],
    [[none], /: cannot read the folder /],
    [[path.join(folder, 'a.har')], /: cannot read the folder /]
  ]
  for (const [args, expected] of cases) {
    const { code, stdout, stderr } = await runServer(t, ['threading-report', ...args], {})
    t.strictSame({ code, stdout }, { code: 1, stdout: '' })
    t.match(stderr, expected)
    t.match(stderr, /^threading:report: [^\n]+\n$/, 'one line')
  }
})
