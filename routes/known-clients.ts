import type { IncomingHttpHeaders } from 'node:http'
import type { ExternalName } from '../storage/threading/threading.ts'

/**
 * Headers in which clients and gateways name the chat, or the session, that a request belongs to; the first one there
 * counts. Who sends which is in docs/threading.md, and a test holds that table to this one.
 */
export const KNOWN_HEADERS: readonly [header: string, names: 'chat' | 'session'][] = [
  ['x-openwebui-chat-id', 'chat'],
  ['chatui-conversation-id', 'chat'],
  ['x-session-affinity', 'chat'],
  ['thread-id', 'chat'],
  ['conversation_id', 'chat'],
  ['session_id', 'chat'],
  ['x-task-id', 'chat'],
  ['x-roo-task-id', 'chat'],
  ['x-kilocode-taskid', 'chat'],
  ['x-tfy-conversation-id', 'chat'],
  ['x-claude-code-session-id', 'session'],
  ['agent-session-id', 'session'],
  ['helicone-session-id', 'session'],
  ['x-litellm-session-id', 'session'],
  ['x-session-id', 'session']
]

/** In LiteLLM's requests, the same in the body. */
const BODY_FIELD = 'litellm_session_id'

/** The client's own name for the conversation. `owner` is the header that names the session here, if one does. */
export function externalNameOf(
  headers: IncomingHttpHeaders,
  body: { [BODY_FIELD]?: unknown },
  owner: string | null
): ExternalName | null {
  for (const [source, names] of KNOWN_HEADERS) {
    const value = source === owner ? undefined : headers[source]
    if (typeof value === 'string' && value !== '') return { source, value, isChat: names === 'chat' }
  }
  const value = body[BODY_FIELD]
  return typeof value === 'string' && value !== ''
    ? { source: 'x-litellm-session-id', value, isChat: false }
    : null
}
