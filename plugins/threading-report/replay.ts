import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { LOCAL_SESSION } from '../identity/local.ts'
import type { RecordedUpstream } from './recorded-upstream.ts'
import type { Recording } from './recordings.ts'

/** A recorded request, and where it was filed. */
export interface Filed {
  recording: Recording
  /** The HTTP status of the answer. */
  status: number
  match: string | null
  conversationId: string | null
  seq: number
}

/** What is another connection's, what would say who asks, and what names a conversation that is not here. */
const LEFT_OUT =
  /^(host|connection|content-.*|transfer-encoding|accept-encoding|expect|te|trailer|upgrade|keep-alive|authorization|cookie|origin|referer|sec-.*|x-conversation-id|x-parent-seq|x-on-disconnect|idempotency-key|x-stainless-retry-count|:.*)$/i

/** Makes the recorded requests again, one after the other, at a service that listens on `url` and asks `upstream`. */
export async function replay(
  url: string,
  upstream: RecordedUpstream,
  recordings: Recording[]
): Promise<Filed[]> {
  const filed: Filed[] = []
  for (const recording of recordings) {
    upstream.answerWith(recording)
    const kept = Object.entries(recording.headers).filter(isSent)
    const answer = await fetch(`${url}${recording.path}`, {
      method: 'POST',
      headers: { ...Object.fromEntries(kept), 'content-type': 'application/json' },
      body: JSON.stringify(recording.request)
    })
    await answer.text()
    filed.push({
      recording,
      status: answer.status,
      match: answer.headers.get('x-conversation-match'),
      conversationId: answer.headers.get('x-conversation-id'),
      seq: Number(answer.headers.get('x-turn-seq'))
    })
  }
  return filed
}

/** What was recorded need not be what HTTP allows: a name may be empty, and a value have been decoded. */
function isSent([name, value]: [string, string]): boolean {
  try {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    return !LEFT_OUT.test(name)
  } catch {
    return false
  }
}

/** Of these requests, those whose turns another has taken the place of. */
export async function replacedOf(app: FastifyInstance, filed: Filed[]): Promise<Set<Filed>> {
  const replaced = new Set<Filed>()
  const byConversation = Map.groupBy(filed, ({ conversationId }) => conversationId)
  for (const [id, requests] of byConversation) {
    if (id === null) continue
    for (let afterSeq = 0; ; ) {
      const page = { limit: 500, order: 'asc', afterSeq } as const
      const turns = await app.store.listMarks(LOCAL_SESSION, id, page)
      const gone = new Set(turns.filter(({ superseded }) => superseded).map(({ seq }) => seq))
      for (const request of requests) if (gone.has(request.seq)) replaced.add(request)
      const last = turns.at(-1)
      if (!last || turns.length < page.limit) break
      afterSeq = last.seq
    }
  }
  return replaced
}
