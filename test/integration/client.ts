const SESSION = { 'x-session-id': 'integration' }

export interface Reply {
  /** 0 when no answer came at all. */
  status: number
  conversationId: string | null
  turnId: string | null
  seq: number
  /** The text of the answer, as far as it came. */
  answer: string
  /** Into how many reads the stream fell. */
  reads: number
  /** Whether `[DONE]` was seen. */
  done: boolean
  /** What broke, or what came in place of an answer. */
  failure: string | null
}

interface AskOptions {
  conversationId?: string
  /** Called as soon as `[DONE]` is seen, before the response has ended. */
  onDone?: (reply: Reply) => Promise<void>
  /** Called when the answer has begun. */
  onText?: (reply: Reply) => void
  signal?: AbortSignal
}

/** Asks one question and reads its stream to the end. Never rejects: what went wrong is in the reply. */
export async function ask(url: string, question: string, options: AskOptions = {}): Promise<Reply> {
  const reply: Reply = {
    status: 0,
    conversationId: null,
    turnId: null,
    seq: 0,
    answer: '',
    reads: 0,
    done: false,
    failure: null
  }
  try {
    const res = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        ...SESSION,
        'content-type': 'application/json',
        ...(options.conversationId && { 'x-conversation-id': options.conversationId })
      },
      body: JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: question }] }),
      ...(options.signal && { signal: options.signal })
    })
    reply.status = res.status
    reply.conversationId = res.headers.get('x-conversation-id')
    reply.turnId = res.headers.get('x-turn-id')
    reply.seq = Number(res.headers.get('x-turn-seq'))
    if (res.status !== 200) throw new Error(await res.text())
    await readStream(res, reply, options)
  } catch (err) {
    reply.failure = String(err)
  }
  return reply
}

async function readStream(res: Response, reply: Reply, { onDone, onText }: AskOptions): Promise<void> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const bytes of res.body ?? []) {
    reply.reads += 1
    const events = (rest + decoder.decode(bytes, { stream: true })).split('\n\n')
    rest = events.pop() ?? ''
    for (const event of events) {
      const data = event.slice('data: '.length)
      if (data === '[DONE]') {
        reply.done = true
        await onDone?.(reply)
        continue
      }
      const chunk = JSON.parse(data)
      if (chunk.error) throw new Error(data)
      reply.answer += chunk.choices[0]?.delta.content ?? ''
      if (reply.answer) onText?.(reply)
    }
  }
  if (!reply.done) throw new Error('the stream ended without [DONE]')
}

export interface TurnRow {
  id: string
  seq: number
  status: string
  error: string | null
  user_text: string | null
  assistant_text: string | null
}

/** A JSON answer of the conversations API, from the load balancer or from one instance. */
export async function request<T>(url: string, path: string, method = 'GET'): Promise<T> {
  const res = await fetch(`${url}/v1${path}`, { method, headers: SESSION })
  if (!res.ok) throw new Error(`${method} ${path}: ${res.status} ${await res.text()}`)
  return (await res.json()) as T
}

export function createConversation(url: string): Promise<{ id: string; last_seq: number }> {
  return request(url, '/conversations', 'POST')
}

/** The turn with this number, or undefined. */
export async function turnAt(url: string, conversationId: string, seq: number): Promise<TurnRow | undefined> {
  const path = `/conversations/${conversationId}/turns?after_seq=${seq - 1}&limit=1`
  return (await request<{ data: TurnRow[] }>(url, path)).data[0]
}

/** The whole history. */
export async function allTurns(url: string, conversationId: string): Promise<TurnRow[]> {
  const turns: TurnRow[] = []
  for (;;) {
    const after = turns.at(-1)?.seq ?? 0
    const path = `/conversations/${conversationId}/turns?after_seq=${after}&limit=100&include=superseded`
    const page = await request<{ data: TurnRow[]; has_more: boolean }>(url, path)
    turns.push(...page.data)
    if (!page.has_more) return turns
  }
}
