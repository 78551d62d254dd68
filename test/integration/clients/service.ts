import type { LLMock } from '@copilotkit/aimock'
import OpenAI, { type ClientOptions } from 'openai'
import type { Test } from 'tap'
import type { Turn } from '../../../storage/contract.ts'
import { startApp } from '../../helper/app.ts'
import { eventually } from '../../helper/endings.ts'
import { type ScriptedUpstream, startUpstream, type UpstreamScript } from '../../helper/upstream.ts'
import { type Answer, model } from './model.ts'

/** The service over one driver, as one call of a client sees it: with a session and an upstream of its own. */
export interface Service {
  /** The API's base URL, up to and including `/v1`. */
  baseURL: string
  /** Headers that every request needs. */
  headers: Record<string, string>
  /** The official client; it does not try again unless it is told to. */
  openai(options?: ClientOptions): OpenAI
  /** What the model says from now on, one answer a call. */
  answers(...answers: Answer[]): void
  /** An upstream that does as it likes. */
  upstream(script: UpstreamScript): void
  /** The bodies that the upstream has got. */
  asked(): Record<string, unknown>[]
  /** All turns of the session that have ended, oldest first. */
  turns(): Promise<Turn[]>
  /** Types and texts of a conversation's items, in their order. */
  items(conversationId: string): Promise<string[]>
}

export interface Running {
  /** A service for `session`; `faults` gets what its upstream has to complain about. */
  service(session: string, faults: string[]): Service
}

export async function startServices(t: Test, dbUrl: string): Promise<Running> {
  const upstream = await startUpstream(t)
  const { app, url } = await startApp(t, {
    DB_URL: dbUrl,
    AUTH: 'header',
    OPENAI_BASE_URL: upstream.url
  })
  const baseURL = `${url}/v1`

  async function turnsOf(session: string): Promise<Turn[]> {
    const { data } = await app.store.listConversations(session, { limit: 100, order: 'asc' })
    const pages = await Promise.all(
      data.map(({ id }) =>
        app.store.listTurns(session, id, { limit: 100, order: 'asc', includeSuperseded: true })
      )
    )
    return pages.flatMap((page) => page?.data ?? [])
  }

  return {
    service(session, faults) {
      const headers = { 'x-session-id': session }
      const first = upstream.calls.length
      const play = (script: UpstreamScript) => {
        upstream.script = script
      }
      play(model(faults))
      const openai: Service['openai'] = (options) =>
        new OpenAI({ baseURL, apiKey: 'any', maxRetries: 0, defaultHeaders: headers, ...options })
      return {
        baseURL,
        headers,
        openai,
        answers: (...answers) => play(model(faults, ...answers)),
        upstream: play,
        asked: () => bodies(upstream, first),
        async turns() {
          let turns: Turn[] = []
          await eventually('no turn runs', async () => {
            turns = await turnsOf(session)
            return turns.every(({ status }) => status !== 'in_progress')
          })
          return turns
        },
        async items(id) {
          const { data } = await openai().conversations.items.list(id, { limit: 100, order: 'asc' })
          return data.map(describe)
        }
      }
    }
  }
}

function bodies({ calls }: ScriptedUpstream, first: number) {
  return calls.slice(first).map(({ body }) => JSON.parse(body) as Record<string, unknown>)
}

/** An item in a few words: `user: Hi`, `function_call: weather {…}`. */
export function describe(item: OpenAI.Conversations.ConversationItem): string {
  switch (item.type) {
    case 'message':
      return `${item.role}: ${item.content.map((part) => ('text' in part ? part.text : part.type)).join('')}`
    case 'function_call':
      return `call: ${item.name} ${item.arguments}`
    case 'function_call_output':
      return `result: ${item.output}`
    default:
      return item.type
  }
}

/** Passes every call on to an upstream that others wrote. */
export function over(mock: LLMock): UpstreamScript {
  return async (res, { method, url, body }) => {
    const answer = await fetch(new URL(url, mock.url), {
      method,
      headers: { 'content-type': 'application/json', authorization: 'Bearer any' },
      body
    })
    res.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
    for await (const chunk of answer.body ?? []) res.write(chunk)
    res.end()
  }
}

/** What is said in the input that the upstream has got, in few words. */
export function saidIn(body: Record<string, unknown> | undefined): string[] {
  const { input } = body as { input: string | { role?: string; type?: string; content?: unknown }[] }
  if (typeof input === 'string') return [`user: ${input}`]
  return input.map(({ role, type, content }) => {
    const parts = Array.isArray(content) ? content : [{ text: content }]
    return role ? `${role}: ${parts.map(({ text }) => text).join('')}` : String(type)
  })
}
