import type { Json, JsonObject, Turn } from '../contract.ts'
import { isObject } from '../json-value.ts'
import { messagesOfItems } from './item-messages.ts'
import { itemsOfMessage } from './message-items.ts'

type Content = Pick<Turn, 'kind' | 'userText' | 'assistantText' | 'detail'>

/** What was asked in a turn, as messages of a chat. */
export function inputMessages(turn: Content): JsonObject[] {
  if (turn.kind !== 'chat') return messagesOfItems(inputItems(turn).filter(isObject))
  return listIn(turn.detail, 'input')?.filter(isObject) ?? plain('user', turn.userText)
}

/** What was answered in a turn, as messages of a chat; of several choices the first. */
export function answerMessages(turn: Content): JsonObject[] {
  if (turn.kind !== 'chat') return messagesOfItems(outputItems(turn).filter(isObject))
  const [choice] = choicesOf(turn)
  return choice && choice.index === 0 ? [choice.message] : []
}

export interface Choice {
  index: number
  message: JsonObject
  finishReason: string | null
}

/** The choices of a chat's answer with their messages. */
export function choicesOf(turn: Content & { finishReason?: string | null }): Choice[] {
  const { assistantText, finishReason = null } = turn
  const kept = (listIn(turn.detail, 'choices') ?? []).filter(isObject)
  // The first choice's text is a column of its own, unless only JSON can hold it.
  const content = assistantText === null ? {} : { content: assistantText }
  const choices = kept.map((choice) => toChoice(choice, choice.index === 0 ? content : {}))
  const silent = assistantText === null && finishReason === null
  if (silent || choices.some(({ index }) => index === 0)) return choices
  return [{ index: 0, message: { ...ANSWER, ...content }, finishReason }, ...choices]
}

const ANSWER = { role: 'assistant', content: null }

function toChoice({ index, message, finish_reason }: JsonObject, content: JsonObject): Choice {
  return {
    index: Number(index),
    message: { ...ANSWER, ...content, ...(isObject(message) ? withoutIndexes(message) : {}) },
    finishReason: typeof finish_reason === 'string' ? finish_reason : null
  }
}

/** Streams number their tool calls; messages do not, and some upstreams refuse it in one. */
function withoutIndexes(message: JsonObject): JsonObject {
  const { tool_calls: calls } = message
  if (!Array.isArray(calls)) return message
  const bare = calls.map((call) => {
    if (!isObject(call)) return call
    const { index: _, ...rest } = call
    return rest
  })
  return { ...message, tool_calls: bare }
}

/** What was asked in a turn, as items of the Responses API; null where one was deleted. */
export function inputItems(turn: Content): (JsonObject | null)[] {
  if (turn.kind === 'chat') return inputMessages(turn).flatMap(itemsOfMessage)
  return itemsIn(turn.detail, 'input') ?? plain('user', turn.userText)
}

/** What was answered in a turn, as items of the Responses API; null where one was deleted. */
export function outputItems(turn: Content): (JsonObject | null)[] {
  if (turn.kind === 'chat') return answerMessages(turn).flatMap(itemsOfMessage)
  const { detail } = turn
  const from = turn.kind === 'response' && isObject(detail?.response) ? detail.response : detail
  return itemsIn(from, 'output') ?? plain('assistant', turn.assistantText)
}

function plain(role: string, text: string | null): JsonObject[] {
  return text === null ? [] : [{ role, content: text }]
}

function listIn(detail: JsonObject | null, name: string): Json[] | null {
  const value = detail?.[name]
  return Array.isArray(value) ? value : null
}

function itemsIn(detail: JsonObject | null, name: string): (JsonObject | null)[] | null {
  return listIn(detail, name)?.map((item) => (isObject(item) ? item : null)) ?? null
}
