import type { Test } from 'tap'
import { type RunningApp, startApp } from './app.ts'
import { delta, type ScriptedUpstream, sendJson, startSse, startUpstream } from './upstream.ts'

export type Message = { role: string; content?: unknown; tool_calls?: unknown; tool_call_id?: string }

export const user = (content: unknown): Message => ({ role: 'user', content })
export const assistant = (content: unknown): Message => ({ role: 'assistant', content })

/** What a request was answered with, and where that was filed. */
export interface Filed {
  status: number
  match: string | null
  conversationId: string | null
  seq: number
  message: Message
}

/** A client that knows nothing of conversations: it sends a list of messages, and gets an answer. */
export async function ask(
  { chat }: Pick<RunningApp, 'chat'>,
  messages: Message[],
  body: object = {},
  headers: Record<string, string> = {}
): Promise<Filed> {
  const res = await chat({ messages, ...body }, headers)
  const json = (await res.json()) as { choices?: { message: Message }[] }
  return {
    status: res.status,
    match: res.headers.get('x-conversation-match'),
    conversationId: res.headers.get('x-conversation-id'),
    seq: Number(res.headers.get('x-turn-seq')),
    message: json.choices?.[0]?.message ?? assistant('')
  }
}

/** Makes the upstream answer each question with a text of its own that says it again. */
export function answerInTurn(upstream: ScriptedUpstream): void {
  let count = 0
  upstream.script = (res, { body }) => {
    const { stream, messages, n = 1 } = JSON.parse(body)
    count += 1
    const asked = JSON.stringify(messages.at(-1)?.content ?? null).slice(0, 60)
    const content = `Answer ${count} to ${asked}, long enough to be like no other answer.`
    if (stream) {
      startSse(res)
      for (const word of content.split(/(?<= )/)) res.write(delta({ content: word }))
      res.end(`${delta({}, 'stop')}data: [DONE]\n\n`)
      return
    }
    const choices = Array.from({ length: n }, (_, index) => ({
      index,
      message: { role: 'assistant', content: index === 0 ? content : `${content} (${index})` },
      finish_reason: 'stop'
    }))
    sendJson(res, 200, { id: `c-${count}`, object: 'chat.completion', model: 'm', choices })
  }
}

/** The service in front of an upstream that answers each question with a text of its own. */
export async function startTalk(t: Test, settings: Record<string, string> = {}) {
  const upstream = await startUpstream(t)
  answerInTurn(upstream)
  const running = await startApp(t, { OPENAI_BASE_URL: upstream.url, ...settings })
  /** The seqs of a conversation's turns that count. */
  const path = async (id: string | null) =>
    (await running.turnsOf(id ?? '')).filter((turn) => !turn.superseded).map(({ seq }) => seq)
  return { upstream, ...running, path }
}

/** Asks `questions` one after the other, as a client that keeps the list of messages. */
export async function chatOf(running: Parameters<typeof ask>[0], questions: string[]) {
  const messages: Message[] = []
  const filed: Filed[] = []
  for (const question of questions) {
    messages.push(user(question))
    const one = await ask(running, messages)
    messages.push(one.message)
    filed.push(one)
  }
  return { messages, filed, id: filed[0]?.conversationId ?? null }
}
