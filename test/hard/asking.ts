import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningApp } from '../helper/app.ts'
import { DONE, delta, finish, startSse, type UpstreamScript } from '../helper/upstream.ts'

export type KeptTurn = Awaited<ReturnType<RunningApp['turnsOf']>>[number]

/** What a client knows of a turn. */
export interface Seen {
  question: string
  /** 0 when no answer began. */
  status: number
  conversationId: string
  turnId: string
  seq: number
  /** The text that came. */
  answer: string
  /** Whether the client has seen `[DONE]`: from then on the turn must never be lost. */
  done: boolean
}

const PIECES = 10
const PIECE_MS = 5

/** The only right answer to a question. */
export function answerTo(question: string): string {
  return Array.from({ length: PIECES }, (_, piece) => `${question} ${piece} Grüße 😀; `).join('')
}

export function questionOf(body: string): string {
  return (JSON.parse(body) as { messages: { content: string }[] }).messages[0]?.content ?? ''
}

/** An upstream that streams `answerTo` the question over a little time. */
export const slowAnswer: UpstreamScript = async (res, call) => {
  const question = questionOf(call.body)
  startSse(res)
  for (let piece = 0; piece < PIECES && !res.destroyed; piece++) {
    res.write(delta({ content: `${question} ${piece} Grüße 😀; ` }))
    await sleep(PIECE_MS)
  }
  res.end(finish() + DONE)
}

/** Asks, and reads on to the end or until the server is gone. Never rejects. */
export async function ask(
  url: string,
  question: string,
  conversationId?: string,
  onText: (text: string) => void = () => {}
): Promise<Seen> {
  const seen: Seen = { question, status: 0, conversationId: '', turnId: '', seq: 0, answer: '', done: false }
  const decoder = new TextDecoder()
  let stream = ''
  try {
    const res = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(conversationId && { 'x-conversation-id': conversationId })
      },
      body: JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: question }] })
    })
    seen.status = res.status
    seen.conversationId = res.headers.get('x-conversation-id') ?? ''
    seen.turnId = res.headers.get('x-turn-id') ?? ''
    seen.seq = Number(res.headers.get('x-turn-seq'))
    for await (const chunk of res.body ?? []) {
      stream += decoder.decode(chunk, { stream: true })
      seen.done = stream.includes('[DONE]')
      onText(stream)
    }
  } catch {
    // The server is gone; what counts is what came before.
  }
  const texts = stream.matchAll(/"content":("(?:[^"\\]|\\.)*")/g)
  seen.answer = Array.from(texts, ([, text]) => JSON.parse(text ?? '""')).join('')
  return seen
}

/** What is wrong with a turn that a client has seen, or null. */
export function faultOf(seen: Seen, kept: KeptTurn | undefined): string | null {
  if (!seen.done) return null
  if (!kept) return `lost: ${JSON.stringify(seen)}`
  const right =
    kept.id === seen.turnId &&
    kept.seq === seen.seq &&
    kept.status === 'completed' &&
    kept.user_text === seen.question &&
    kept.assistant_text === answerTo(seen.question) &&
    seen.answer === kept.assistant_text
  return right ? null : `not as acknowledged: ${JSON.stringify(kept)}`
}

async function json<T>(url: string): Promise<T> {
  const res = await fetch(url)
  if (res.status !== 200) throw new Error(`${res.status} ${url}: ${await res.text()}`)
  return (await res.json()) as T
}

/** The turns of a conversation after `afterSeq`, all of them. */
export async function turnsAfter(url: string, conversationId: string, afterSeq: number): Promise<KeptTurn[]> {
  const turns: KeptTurn[] = []
  for (;;) {
    const from = turns.at(-1)?.seq ?? afterSeq
    const query = `include=superseded&limit=100&after_seq=${from}`
    const page = await json<{ data: KeptTurn[]; has_more: boolean }>(
      `${url}/v1/conversations/${conversationId}/turns?${query}`
    )
    turns.push(...page.data)
    if (!page.has_more) return turns
  }
}

export async function createConversation(url: string): Promise<string> {
  const res = await fetch(`${url}/v1/conversations`, { method: 'POST' })
  return ((await res.json()) as { id: string }).id
}

/** Every conversation of the store. */
export async function allConversations(url: string): Promise<{ id: string; last_seq: number }[]> {
  const all: { id: string; last_seq: number }[] = []
  for (;;) {
    const after = all.length > 0 ? `&after=${all.at(-1)?.id}` : ''
    const page = await json<{ data: typeof all; has_more: boolean }>(
      `${url}/v1/conversations?limit=100&order=asc${after}`
    )
    all.push(...page.data)
    if (!page.has_more) return all
  }
}

/** Where the seqs are not `first`, `first` + 1, …, or a turn still runs. */
export function disorder(turns: KeptTurn[], first: number): string[] {
  return turns.flatMap(({ id, seq, status }, index) => [
    ...(seq === first + index ? [] : [`seq ${seq} of ${id} in place of ${first + index}`]),
    ...(status === 'in_progress' ? [`${id} is still running`] : [])
  ])
}

/** Numbers in [0, 1) that are the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let x = Math.imul(state ^ (state >>> 15), state | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296
  }
}
