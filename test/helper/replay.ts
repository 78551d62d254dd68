import type OpenAI from 'openai'
import type { Reply } from './request.ts'

/** What a chat says, as the official SDK reads it from a stream or from JSON; without its creation time. */
export async function sdkReadsChat(
  client: OpenAI,
  body: object,
  headers: Record<string, string>
): Promise<object> {
  const given = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...body } as never
  const options = { headers }
  const { stream } = body as { stream?: boolean }
  const whole = stream
    ? await client.chat.completions.stream(given, options).finalChatCompletion()
    : await client.chat.completions.create(given, options)
  return tidy(whole)
}

/** The same of a response. */
export async function sdkReadsResponse(
  client: OpenAI,
  body: object,
  headers: Record<string, string>
): Promise<object> {
  const given = { model: 'm', input: 'Hi', ...body } as never
  const { stream } = body as { stream?: boolean }
  const whole = stream
    ? await client.responses.stream(given, { headers }).finalResponse()
    : await client.responses.create(given, { headers })
  return tidy(whole)
}

/** Without what our own copy has besides, and without what says nothing. */
function tidy(value: unknown): object {
  const OWN = [
    'created',
    'created_at',
    'metadata',
    'store',
    'background',
    'previous_response_id',
    'conversation',
    'object'
  ]
  const text = JSON.stringify(value, (key, inner) => {
    const says = inner !== null && inner !== undefined && !(Array.isArray(inner) && inner.length === 0)
    return OWN.includes(key) || !says ? undefined : inner
  })
  return JSON.parse(text)
}

export function isReplayed(reply: Pick<Reply, 'headers'> | Response): boolean {
  return reply.headers.get('idempotent-replayed') === 'true'
}
