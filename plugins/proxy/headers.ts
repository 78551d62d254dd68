import type { IncomingHttpHeaders } from 'node:http'
import type { Redaction } from './redaction.ts'

/** Response headers of the upstream that a client may see. All others stay here. */
const PASSED_BACK =
  /^(content-type|retry-after|retry-after-ms|x-should-retry|x-request-id|openai-processing-ms|openai-version|x-ratelimit-[a-z-]+)$/

/** Response headers of our own that browsers may read. */
export const EXPOSED_HEADERS = [
  'x-conversation-id',
  'x-turn-id',
  'x-turn-seq',
  'x-conversation-match',
  'x-request-id',
  'retry-after',
  'x-ratelimit-limit-requests',
  'x-ratelimit-remaining-requests',
  'x-ratelimit-reset-requests',
  'x-should-retry',
  'idempotent-replayed'
]

export function passedBack(headers: IncomingHttpHeaders, redaction: Redaction): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string' && PASSED_BACK.test(name)) kept[name] = redaction.text(value)
  }
  return kept
}
