import type { Json, JsonObject } from '../../storage/contract.ts'
import { textOf } from '../../storage/json-value.ts'
import { isStorable } from '../../storage/storable-text.ts'

export interface ChatQuestion {
  userText: string | null
  /** The new messages, exactly, where `userText` alone does not say them. */
  input: JsonObject | null
}

/**
 * What of a request's `messages` is new. Clients resend the history: in a conversation that goes on, new is
 * what follows the last answer; in a new one, everything.
 */
export function readQuestion(messages: JsonObject[], goesOn: boolean): ChatQuestion {
  const live = messages.slice(endOfHistory(messages))
  const users = live.flatMap((message) => (message.role === 'user' ? [textOf(message.content, '\n')] : []))
  const texts = users.filter((text) => text !== null)
  const fresh = goesOn ? live : messages
  const plain = fresh.length === 1 && fresh[0] !== undefined && isPlain(fresh[0])
  return {
    userText: texts.length > 0 ? texts.join('\n\n') : null,
    input: plain ? null : { input: fresh as Json }
  }
}

/** The index after the last answer. Answers at the very end are a prefill, which belongs to the question. */
function endOfHistory(messages: JsonObject[]): number {
  const isAnswer = (message: JsonObject) => message.role === 'assistant'
  const question = messages.findLastIndex((message) => !isAnswer(message))
  return messages.slice(0, Math.max(question, 0)).findLastIndex(isAnswer) + 1
}

/** A user message that is nothing but storable text. */
function isPlain(message: JsonObject): boolean {
  const { role, content, ...rest } = message
  return (
    role === 'user' && typeof content === 'string' && isStorable(content) && Object.keys(rest).length === 0
  )
}
