import type { JsonObject, Turn } from '../contract.ts'
import { isObject, parseJson } from '../json-value.ts'
import { isCall } from './call-results.ts'
import { answerMessages, inputItems, inputMessages, outputItems } from './turn-content.ts'

/** What a path of turns says, as messages of a chat. */
export interface ChatHistory {
  /** The system prompt in effect: that of the newest turn that began with one. */
  system: JsonObject[]
  dialogue: JsonObject[]
}

export function chatHistory(path: Turn[]): ChatHistory {
  let system: JsonObject[] = []
  const dialogue = path.flatMap((turn) => {
    const answer = answerMessages(turn).map(withoutBrokenCalls).map(withAudioId).filter(saysSomething)
    if (!counts(turn, answer.length > 0)) return []
    const [prompt, input] = splitPrompt(inputMessages(turn))
    if (prompt.length > 0) system = prompt
    return [...input, ...answer]
  })
  return { system, dialogue }
}

/** Messages parted into the system prompt that they begin with, and the rest. */
export function splitPrompt(messages: JsonObject[]): [JsonObject[], JsonObject[]] {
  const end = messages.findIndex(({ role }) => role !== 'system' && role !== 'developer')
  const at = end === -1 ? messages.length : end
  return [messages.slice(0, at), messages.slice(at)]
}

/** What a path of turns says, as items of the Responses API. */
export function itemHistory(path: Turn[]): JsonObject[] {
  return path
    .filter(isHistory)
    .flatMap((turn) => [...inputItems(turn).filter(isObject), ...sendableOutput(turn)])
}

/** Whether a turn is something that a later one builds on. */
export function isHistory(turn: Turn): boolean {
  return counts(turn, sendableOutput(turn).length > 0)
}

function sendableOutput(turn: Turn): JsonObject[] {
  return outputItems(turn)
    .filter(isObject)
    .filter((item) => canBeSent(item, turn.kind) && !(isCall(item) && isBroken(item.arguments)))
}

/** Failed, replaced and running turns are no history, nor are those that broke off before they said anything. */
function counts(turn: Turn, answered: boolean): boolean {
  return turn.status === 'completed' || (turn.status === 'incomplete' && answered)
}

function saysSomething({
  content,
  refusal,
  audio,
  tool_calls: calls,
  function_call: call
}: JsonObject): boolean {
  const said = typeof content === 'string' ? content !== '' : Array.isArray(content) && content.length > 0
  const called = (Array.isArray(calls) && calls.length > 0) || isObject(call)
  return said || called || isObject(audio) || typeof refusal === 'string'
}

/** Of spoken words a request takes the id alone. */
function withAudioId(message: JsonObject): JsonObject {
  if (!isObject(message.audio) || message.audio.id === undefined) return message
  return { ...message, audio: { id: message.audio.id } }
}

/** An answer that broke off may end in half a call, which upstreams refuse. */
function withoutBrokenCalls(message: JsonObject): JsonObject {
  const { tool_calls: calls, ...rest } = message
  if (!Array.isArray(calls)) return message
  const whole = calls.filter(
    (call) => isObject(call) && !(isObject(call.function) && isBroken(call.function.arguments))
  )
  return whole.length > 0 ? { ...rest, tool_calls: whole } : rest
}

/** A call without arguments may have an empty text for them. */
function isBroken(args: unknown): boolean {
  return typeof args === 'string' && args !== '' && parseJson(args) === undefined
}

/**
 * Reasoning can go back only where it is whole: encrypted, or in words. That of a chat came from another kind of
 * upstream, and the ids of the Responses API with it.
 */
export function canBeSent(item: JsonObject, kind: Turn['kind']): boolean {
  if (item.type !== 'reasoning') return true
  const readable = Array.isArray(item.content) && item.content.length > 0
  return kind !== 'chat' && (typeof item.encrypted_content === 'string' || readable)
}
