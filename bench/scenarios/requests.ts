import type { Ask } from '../load/ask.ts'
import { proseOf } from '../upstream/answers.ts'

const PATH = '/v1/chat/completions'
const QUESTION_CHARACTERS = 240

function ask(messages: object[], stream: boolean, events: number | null): Ask {
  return {
    path: PATH,
    headers: { authorization: 'Bearer sk-client' },
    body: { model: 'gpt-4o-mini', messages, ...(stream && { stream }) },
    endMark: stream ? '[DONE]' : '"usage"',
    events
  }
}

const question = { role: 'user', content: proseOf(QUESTION_CHARACTERS) }

export const jsonAsk = ask([question], false, null)
/** A stream has three events more than deltas: the role, the finish reason and the end mark. */
export const streamAsk = (deltas: number): Ask => ask([question], true, deltas + 3)

/** About 200 KB of dialogue, some of it beyond ASCII. */
const HISTORY = Array.from({ length: 100 }, (_, at) => ({
  role: at % 2 === 0 ? 'user' : 'assistant',
  content: `${proseOf(1_940)} – „naïve“ 日本語 №${at}\n`
}))
export const historyAsk = ask([{ role: 'system', content: proseOf(600) }, ...HISTORY, question], false, null)
