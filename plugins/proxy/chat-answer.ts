import type { Json, JsonObject } from '../../storage/contract.ts'
import { isObject, isTooDeep, parseStorableJson, textOf } from '../../storage/json-value.ts'
import { isStorable } from '../../storage/storable-text.ts'
import { type AnswerReader, isEndMark } from './answer-reader.ts'
import { type DeltaTemplate, templateOf } from './delta-template.ts'
import { mergeDelta } from './merge-delta.ts'

interface Choice {
  message: JsonObject
  finishReason: string | null
}

/** How often a template is looked for in vain: an upstream may write each event in another way. */
const MAX_TRIALS = 8

/** Reads an answer of `POST /v1/chat/completions`; `expectedChoices` is the request's `n`. */
export function createChatAnswer(expectedChoices: number): AnswerReader {
  const choices = new Map<number, Choice>()
  let completionId: string | null = null
  let usage: Json = null
  let marked = false
  let failed = false
  let model: string | null = null
  let size = 0
  let template: DeltaTemplate | null = null
  let trials = MAX_TRIALS

  /** Reads an event by the template; false when that is not possible. */
  function readPiece(data: string): boolean {
    const text = template?.contentOf(data)
    const message = choices.get(0)?.message
    if (text === undefined || typeof message?.content !== 'string') return false
    message.content += text
    size += text.length + (template?.characters ?? 0)
    trials = MAX_TRIALS
    return true
  }

  function learn(data: string): void {
    if (trials === 0) return
    trials -= 1
    template = templateOf(data) ?? template
  }

  function readChoices(body: JsonObject, part: 'delta' | 'message'): void {
    // Some upstreams begin with an empty id, and an index takes no long one.
    if (typeof body.id === 'string' && body.id !== '' && body.id.length <= 256) completionId ??= body.id
    if (typeof body.model === 'string' && body.model !== '' && body.model.length <= 256) model ??= body.model
    if (isObject(body.usage)) usage = body.usage
    if (!Array.isArray(body.choices)) return
    for (const [position, raw] of body.choices.entries()) {
      if (!isObject(raw)) continue
      const index = typeof raw.index === 'number' ? raw.index : position
      const choice = choices.get(index) ?? { message: {}, finishReason: null }
      choices.set(index, choice)
      if (part === 'message' && isObject(raw.message)) choice.message = withoutNulls(raw.message)
      else if (isObject(raw.delta)) size += mergeDelta(choice.message, raw.delta)
      if (typeof raw.finish_reason === 'string') choice.finishReason = raw.finish_reason
    }
  }

  return {
    readEvent(data) {
      if (isEndMark(data)) {
        marked = true
        return true
      }
      if (readPiece(data)) return false
      const event = parseStorableJson(data)
      if (!isObject(event)) return false
      if (event.error !== undefined && event.error !== null) {
        failed = true
        return true
      }
      readChoices(event, 'delta')
      learn(data)
      return false
    },

    readBody(body) {
      if (!Array.isArray(body.choices) || isTooDeep(body)) return false
      readChoices(body, 'message')
      marked = true
      return true
    },

    get finished() {
      if (failed) return false
      const ended = [...choices.values()].filter((choice) => choice.finishReason !== null).length
      return marked || (ended >= expectedChoices && ended === choices.size)
    },
    get failure() {
      return failed ? 'broken' : null
    },
    get size() {
      return size
    },

    answer() {
      const text = textOf(choices.get(0)?.message.content, '')
      const beyondText = [...choices].sort(([a], [b]) => a - b).flatMap(toDetail)
      const output = {
        ...(beyondText.length > 0 && { choices: beyondText }),
        ...(usage !== null && { usage })
      }
      return {
        text,
        finishReason: choices.get(0)?.finishReason ?? null,
        completionId,
        model,
        output: Object.keys(output).length > 0 ? output : null
      }
    }
  }
}

function withoutNulls(message: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(message).filter(([, value]) => value !== null))
}

/** What of a choice the columns of a turn cannot say: all of it, but for the first choice's plain text. */
function toDetail([index, choice]: [number, Choice]): JsonObject[] {
  const { role: _, ...message } = choice.message
  if (index === 0 && typeof message.content === 'string' && isStorable(message.content))
    delete message.content
  if (index === 0 && Object.keys(message).length === 0) return []
  return [{ index, message, finish_reason: choice.finishReason }]
}
