import type { Json, JsonObject, Turn } from '../../storage/contract.ts'
import { sendableMessages } from '../../storage/dialogue/call-results.ts'
import { chatHistory, splitPrompt } from '../../storage/dialogue/history.ts'
import { countResent, saySame } from '../../storage/dialogue/resent.ts'
import { textOf } from '../../storage/json-value.ts'
import { isStorable } from '../../storage/storable-text.ts'

export interface ChatQuestion {
  userText: string | null
  /** The new messages, exactly, where `userText` alone does not say them. */
  input: JsonObject | null
}

/**
 * What of a request's `messages` is new. Clients resend the history: the first `known` of them are there already, null
 * says all up to the last answer.
 */
export function readQuestion(messages: JsonObject[], known: number | null): ChatQuestion {
  const live = messages.slice(endOfHistory(messages))
  return toQuestion(live, known === null ? live : messages.slice(known))
}

/** A question that is put behind stored turns. */
export interface ChatContinuation extends ChatQuestion {
  /** The messages for the upstream; a number is the index of one of the request's own. */
  messages: (JsonObject | number)[]
}

/**
 * The same for a request behind the turns of `path`: what it repeats of them is not new. A system prompt that it
 * begins with takes the place of the stored one. Null when nothing in it is new.
 */
export function continueChat(messages: JsonObject[], path: Turn[]): ChatContinuation | null {
  const { system, dialogue } = chatHistory(path)
  const [prompt, given] = splitPrompt(messages)
  const begin = prompt.length + countResent(dialogue, given)
  const fresh = messages.slice(begin)
  if (fresh.length === 0) return null
  const indexes = [...messages.keys()]
  const front = prompt.length > 0 ? indexes.slice(0, prompt.length) : system
  const kept = saySame(prompt, system) ? fresh : [...prompt, ...fresh]
  return {
    ...toQuestion(fresh, kept),
    messages: [...front, ...sendableMessages(dialogue, fresh), ...indexes.slice(begin)]
  }
}

/** `live` is what is asked now, `kept` all that is stored with it. */
function toQuestion(live: JsonObject[], kept: JsonObject[]): ChatQuestion {
  const users = live.flatMap((message) => (message.role === 'user' ? [textOf(message.content, '\n')] : []))
  const texts = users.filter((text) => text !== null)
  const plain = kept.length === 1 && kept[0] !== undefined && isPlain(kept[0])
  return {
    userText: texts.length > 0 ? texts.join('\n\n') : null,
    input: plain ? null : { input: kept as Json }
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
