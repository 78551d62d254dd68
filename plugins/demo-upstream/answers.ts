export const DEMO_MODEL = 'turnkeeper-demo'

export interface DemoRequest {
  messages: { role: string; content: unknown }[]
  /** The message that is answered. */
  newest: { content: unknown } | undefined
  stream: boolean
  includeUsage: boolean
}

/** What a message can ask the demo to do instead of answering. */
export type DemoCommand = { kind: 'error'; statusCode: number } | { kind: 'cut' } | { kind: 'stall' }

/** Reads a chat request as far as the demo needs it. Null when it has no messages. */
export function readDemoRequest(body: unknown): DemoRequest | null {
  const request = (body ?? {}) as { messages?: unknown; stream?: unknown; stream_options?: unknown }
  if (!Array.isArray(request.messages) || request.messages.length === 0) return null
  const options = request.stream_options as { include_usage?: unknown } | undefined
  return {
    messages: request.messages,
    newest: request.messages.at(-1),
    stream: request.stream === true,
    includeUsage: options?.include_usage === true
  }
}

/** The command in the newest message, if it is one: `/error 429`, `/cut` or `/stall`. */
export function commandOf(text: string): DemoCommand | null {
  const error = /^\/error ([45]\d\d)$/.exec(text.trim())
  if (error) return { kind: 'error', statusCode: Number(error[1]) }
  if (text.trim() === '/cut') return { kind: 'cut' }
  if (text.trim() === '/stall') return { kind: 'stall' }
  return null
}

/** The text of the message that is answered. */
export function newestText({ newest }: DemoRequest): string {
  const content = newest?.content
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part) => (typeof part?.text === 'string' ? part.text : '')).join('\n')
}

/** What `/markdown` is answered with: a little of everything that a model may format. */
const MARKDOWN = `## What one turn costs

Turnkeeper writes **twice a turn**, however long the answer is: once for the question, once for the whole answer.

| Step | Who waits | Write |
|---|---|---|
| The question is kept | the upstream call | 1 |
| The answer streams | nobody | none |
| The answer is kept | the last event | 2 |

A client needs nothing but the usual request:

\`\`\`js
const stream = client.chat.stream({ messages, conversation })
for await (const text of stream) show(text)
const turn = await stream.turn() // what was stored
\`\`\`

1. Point any OpenAI client at this server.
2. Ask as always.
3. Find the exchange in \`GET /v1/conversations\`.

> This is the built-in demo, not a language model.`

export function answerTo(request: DemoRequest): string {
  const text = newestText(request)
  if (text.trim() === '/markdown') return MARKDOWN
  const quoted = text.length > 200 ? `${text.slice(0, 200).toWellFormed()}…` : text
  const count = request.messages.length
  return [
    "This is Turnkeeper's built-in demo, not a language model.",
    `You sent ${count} ${count === 1 ? 'message' : 'messages'}; the last one says: “${quoted}”`,
    'The exchange is kept: GET /v1/conversations lists it.',
    'Set OPENAI_BASE_URL or OPENAI_API_KEY to get real answers.',
    'To see formatted text, send /markdown; to see failures, /error 429, /cut or /stall.'
  ].join('\n\n')
}

/** The answer in pieces of about a word, as a model streams it. */
export function piecesOf(text: string): string[] {
  return text.match(/\s*\S+\s?/g) ?? [text]
}

/** Words stand in for tokens. */
export function usageOf(request: DemoRequest, answer: string) {
  const count = (text: string) => text.split(/\s+/).filter(Boolean).length
  const prompt = request.messages.reduce((sum, { content }) => sum + count(JSON.stringify(content ?? '')), 0)
  const completion = count(answer)
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion }
}
