import OpenAI from 'openai'
import type { Test } from 'tap'
import { startApp } from './app.ts'
import { echo } from './echo-upstream.ts'
import { type Reply, type RequestOptions, request } from './request.ts'
import { startUpstream, type UpstreamScript } from './upstream.ts'

export const ALICE = { 'x-session-id': 'alice' }
export const BOB = { 'x-session-id': 'bob' }

export type Stateful = Awaited<ReturnType<typeof startStateful>>

/** The service in front of an upstream that repeats what it hears, and short ways to speak to it. */
export async function startStateful(
  t: Test,
  settings: Record<string, string> = {},
  script: UpstreamScript = echo()
) {
  const upstream = await startUpstream(t, script)
  const running = await startApp(t, { OPENAI_BASE_URL: upstream.url, ...settings })
  const call = (path: string, options?: RequestOptions) => request(`${running.url}/v1${path}`, options)
  const post = (path: string, body: object, headers: Record<string, string> = {}) =>
    call(path, { body, headers })

  return {
    ...running,
    upstream,
    call,
    client: new OpenAI({ baseURL: `${running.url}/v1`, apiKey: 'any', maxRetries: 0 }),
    /** A new conversation's id. */
    create: async (body: object = {}): Promise<string> => (await post('/conversations', body)).json.id,
    /** A chat that goes on in `conversation`, with a message of the user or with these messages. */
    say: (conversation: string, said: string | object[], more: object = {}, headers = {}) =>
      post('/chat/completions', { model: 'm', conversation, messages: messagesOf(said), ...more }, headers),
    /** A response to `input`. */
    respond: (input: string | object[], more: object = {}, headers = {}) =>
      post('/responses', { model: 'm', input, ...more }, headers),
    /** All items of a conversation, the oldest first. */
    itemsOf: async (id: string, query = '') =>
      (await call(`/conversations/${id}/items?order=asc&limit=100${query}`)).json.data as Item[],
    /** The body that the upstream got last. */
    sent: () => JSON.parse(upstream.calls.at(-1)?.body ?? 'null')
  }
}

export interface Item {
  id: string
  type: string
  // biome-ignore lint/suspicious/noExplicitAny: whatever the wire holds is the test's to judge
  [field: string]: any
}

export function messagesOf(said: string | object[]): object[] {
  return typeof said === 'string' ? [{ role: 'user', content: said }] : said
}

/** What the items or messages say, each in one word: `user: Hi`, `call: f`, `result: 7`. */
export function told(entries: Record<string, unknown>[]): string[] {
  return entries.map((entry) => {
    if (entry.type === 'function_call') return `call: ${entry.name}`
    if (entry.type === 'function_call_output') return `result: ${textIn(entry.output)}`
    if (entry.type === 'reasoning') return `reasoning: ${textIn(entry.content)}`
    const calls = (entry.tool_calls ?? []) as { id: string }[]
    const called = calls.map(({ id }) => ` +${id}`).join('')
    return `${entry.role}: ${textIn(entry.content)}${called}`
  })
}

function textIn(content: unknown): string {
  if (typeof content === 'string') return content
  const parts = Array.isArray(content) ? content : []
  return parts.map((part) => part.text ?? part.refusal ?? `<${part.type}>`).join('')
}

/** What of a reply a client could tell apart. */
export function visible({ status, headers, text }: Reply): string {
  const shown = [...headers].filter(([name]) => !/^(date|connection|keep-alive)$/.test(name))
  return JSON.stringify([status, shown, text])
}
