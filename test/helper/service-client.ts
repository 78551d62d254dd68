import type { Test } from 'tap'
import type { JsonObject } from '../../storage/contract.ts'
import { startApp } from './app.ts'
import { type Reply, request } from './request.ts'
import { type Answer, giveAnswer } from './service-upstream.ts'
import { startUpstream, type UpstreamCallRecord } from './upstream.ts'

/** The service as its clients reach it. */
export interface ServiceClient {
  call(session: string, path: string, options?: { method?: string; body?: unknown }): Promise<Reply>
  /** All of a list, in pages of `limit`. */
  list(session: string, path: string, limit: number): Promise<JsonObject[]>
  /** A request that the upstream answers with `answer`; `call` is what it was asked, null when it was not. */
  ask(
    session: string,
    path: string,
    body: JsonObject,
    headers: Record<string, string>,
    answer: Answer
  ): Promise<{ reply: Reply; call: UpstreamCallRecord | null; id: string }>
}

/** The service over a scripted upstream; sessions are told by a header. */
export async function startService(t: Test, dbUrl: string): Promise<ServiceClient> {
  const upstream = await startUpstream(t)
  const { url } = await startApp(t, { DB_URL: dbUrl, OPENAI_BASE_URL: upstream.url, AUTH: 'header' })
  let answers = 0

  const call: ServiceClient['call'] = (session, path, options = {}) =>
    request(`${url}/v1${path}`, { ...options, headers: { 'x-session-id': session } })

  return {
    call,
    async list(session, path, limit) {
      const all: JsonObject[] = []
      for (let after = ''; ; after = `&after=${all.at(-1)?.id}`) {
        const [route, query = ''] = path.split('?')
        const { status, json, text } = await call(session, `${route}?limit=${limit}${after}&${query}`)
        if (status !== 200) throw new Error(`${path}: ${status} ${text}`)
        all.push(...json.data)
        if (!json.has_more) return all
        if (json.data.length !== limit) throw new Error(`${path}: ${json.data.length} of ${limit}, and more`)
      }
    },
    async ask(session, path, body, headers, answer) {
      answers += 1
      const id = answer.sameId && path === '/chat/completions' ? `same-${session}` : `answer-${answers}`
      upstream.script = (res, record) => giveAnswer(res, record, answer, id)
      const before = upstream.calls.length
      const reply = await request(`${url}/v1${path}`, {
        body,
        headers: { 'x-session-id': session, ...headers }
      })
      return { reply, id, call: upstream.calls[before] ?? null }
    }
  }
}
