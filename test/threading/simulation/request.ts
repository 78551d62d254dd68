import type { RunningApp } from '../../helper/app.ts'
import type { Message } from '../../helper/talk.ts'

interface Got {
  res: Response
  choices: Message[]
}

/** Sends a request and reads what comes; with `shown`, only so many pieces of the answer. */
export function request(
  running: RunningApp,
  body: object,
  headers: Record<string, string>,
  shown?: number
): Promise<Got> {
  return shown === undefined ? whole(running, body, headers) : stopped(running, body, headers, shown)
}

async function whole({ chat }: RunningApp, body: object, headers: Record<string, string>): Promise<Got> {
  const res = await chat(body, headers)
  const text = await res.text()
  if (res.headers.get('content-type')?.startsWith('text/event-stream'))
    return { res, choices: [streamed(text)] }
  const { choices = [] } = JSON.parse(text) as { choices?: { message: Message }[] }
  return { res, choices: choices.map(({ message }) => message) }
}

/** Leaves in the middle of the answer, and keeps the first `shown` pieces of it. */
async function stopped(
  { chat, app }: RunningApp,
  body: object,
  headers: Record<string, string>,
  shown: number
): Promise<Got> {
  const controller = new AbortController()
  const res = await chat({ ...body, stream: true }, headers, controller.signal)
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of res.body ?? []) {
    text += decoder.decode(chunk, { stream: true })
    if (text.split('\n\n').length > shown) break
  }
  controller.abort()
  const id = res.headers.get('x-conversation-id') ?? ''
  const session = headers['x-session-id'] ?? 'local'
  const isRunning = async () => {
    const turns = await app.store.listMarks(session, id, { order: 'desc', limit: 100 })
    return turns.some(({ status }) => status === 'in_progress')
  }
  // Whoever presses stop has still to type.
  while (await isRunning()) await new Promise((resolve) => setTimeout(resolve, 2))
  const events = text.split('\n\n').slice(0, shown).join('\n\n')
  return { res, choices: [streamed(events)] }
}

type Delta = { content?: string; tool_calls?: (object & { index: number })[] }

function streamed(text: string): Message {
  const message: Message = { role: 'assistant', content: null }
  for (const line of text.split('\n')) {
    if (!line.startsWith('data: {')) continue
    const { choices } = JSON.parse(line.slice(6)) as { choices?: { delta: Delta }[] }
    const { content, tool_calls } = choices?.[0]?.delta ?? {}
    if (content) message.content = `${message.content ?? ''}${content}`
    // The model sends each call in one piece.
    if (tool_calls) message.tool_calls = tool_calls.map(({ index: _, ...call }) => call)
  }
  return message
}
