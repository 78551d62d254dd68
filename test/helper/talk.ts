import type { RunningApp } from './app.ts'
import type { ScriptedUpstream } from './upstream.ts'
import { delta, sendJson, startSse } from './upstream.ts'

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
