import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Test } from 'tap'
import { startRecordedUpstream } from '../../plugins/threading-report/recorded-upstream.ts'
import { type Recording, readRecordings } from '../../plugins/threading-report/recordings.ts'
import { replacedOf, replay } from '../../plugins/threading-report/replay.ts'
import { KNOWN_HEADERS } from '../../routes/known-clients.ts'
import { startApp } from './app.ts'

const FOLDER = path.join(import.meta.dirname, '../fixtures/recordings')

/** A recording, and what a person said about it: see the README of the fixtures. */
export interface Recorded extends Recording {
  client: string
  chat: string
  kind: string
  aborted: boolean
}

/** Where a recording was filed. */
export interface Placed {
  recorded: Recorded
  status: number
  match: string | null
  conversationId: string | null
  isReplaced: boolean
}

/** What each client sent, by its name. */
export async function recordedClients(): Promise<Map<string, Recorded[]>> {
  const labels = new Map<string, string[]>()
  const recorded = (await readRecordings(FOLDER)).map((recording): Recorded => {
    const [file = '', line] = recording.name.split(':')
    const lines = labels.get(file) ?? readFileSync(path.join(FOLDER, file), 'utf8').split('\n')
    labels.set(file, lines)
    const { chat, kind, aborted = false } = JSON.parse(lines[Number(line) - 1] ?? '')
    const client = path.basename(file, '.jsonl')
    return { ...recording, name: `${client}:${line}`, client, chat, kind, aborted }
  })
  return Map.groupBy(recorded, ({ client }) => client)
}

/** Makes the requests at a service that has nothing yet. */
export async function fileAll(t: Test, recordings: Recorded[]): Promise<Placed[]> {
  const upstream = await startRecordedUpstream()
  t.teardown(() => upstream.close())
  const { app, url } = await startApp(t, { OPENAI_BASE_URL: upstream.url, DB_URL: 'sqlite::memory:' })
  const filed = await replay(url, upstream, recordings)
  const replaced = await replacedOf(app, filed)
  return filed.map((one) => ({ ...one, recorded: one.recording as Recorded, isReplaced: replaced.has(one) }))
}

const KNOWN = new Set(KNOWN_HEADERS.map(([header]) => header))

/** Whether it names its chat in a header. */
export function isNamed({ headers }: Recorded): boolean {
  return Object.keys(headers).some((name) => KNOWN.has(name))
}

/** The same without that header. */
export function unnamed(recorded: Recorded): Recorded {
  const others = Object.entries(recorded.headers).filter(([name]) => !KNOWN.has(name))
  return { ...recorded, headers: Object.fromEntries(others) }
}

const REST = ' and this is what the model said when nobody listened any more.'

/** The same, of an upstream that says all that it has to say to whoever has stopped listening. */
export function saidToTheEnd(recorded: Recorded): Recorded {
  const { response, aborted } = recorded
  if (!aborted || typeof response !== 'string') return recorded
  const events = response.split('\n\n').flatMap((event) => /^data: (.*)$/m.exec(event)?.slice(1) ?? [])
  const last = JSON.parse(events.at(-1) ?? '')
  const rest = recorded.path === '/v1/responses' ? endOfResponse(last) : endOfChat(last)
  return { ...recorded, response: response + rest.map((event) => `data: ${event}\n\n`).join('') }
}

function endOfChat(chunk: object): string[] {
  const choice = { index: 0, delta: { content: REST }, finish_reason: 'stop' }
  return [JSON.stringify({ ...chunk, choices: [choice] }), '[DONE]']
}

function endOfResponse({ item_id: id, delta }: { item_id: string; delta: string }): string[] {
  const content = [{ type: 'output_text', text: delta + REST, annotations: [] }]
  const output = [{ type: 'message', id, role: 'assistant', status: 'completed', content }]
  const response = { id: `resp_of_${id}`, object: 'response', status: 'completed', output }
  return [JSON.stringify({ type: 'response.completed', sequence_number: 1_000, response })]
}
