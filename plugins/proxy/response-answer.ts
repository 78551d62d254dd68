import type { Json, JsonObject } from '../../storage/contract.ts'
import { isObject, isTooDeep, MAX_DEPTH, parseJson } from '../../storage/json-value.ts'
import { type AnswerReader, isEndMark } from './answer-reader.ts'
import { weigh } from './response-item.ts'
import { createResponseItems } from './response-items.ts'

type End = 'completed' | 'incomplete' | 'failed'

const ENDS = new Map<Json | undefined, End>([
  ['response.completed', 'completed'],
  ['response.incomplete', 'incomplete'],
  ['response.failed', 'failed']
])
const BEGINNINGS = new Set<Json | undefined>(['response.created', 'response.queued', 'response.in_progress'])
/** What a response that has ended cannot be. */
const RUNNING = new Set<Json | undefined>([undefined, null, 'queued', 'in_progress'])

/** Reads an answer of `POST /v1/responses`. */
export function createResponseAnswer(): AnswerReader {
  const items = createResponseItems()
  let response: JsonObject | null = null
  let responseSize = 0
  let completionId: string | null = null
  let model: string | null = null
  let end: End | null = null
  let closed = false // the response came with its end
  let marked = false
  let broken = false

  function take(given: JsonObject): void {
    response = given
    responseSize = weigh(given)
    completionId = nameOf(given.id) ?? completionId
    model = nameOf(given.model) ?? model
  }

  /** Whether the response's own output says what came. Some upstreams end with an empty one. */
  function hasOwnOutput(): boolean {
    const output = response?.output
    return closed && Array.isArray(output) && (output.length > 0 || items.count === 0)
  }

  function isFinished(): boolean {
    if (broken) return false
    if (end !== null) return end !== 'failed'
    return marked && items.count > 0 && items.done
  }

  /** The response as far as it came, as an object of its own. */
  function whole(): JsonObject | null {
    if (response === null && items.count === 0) return null
    const status = end ?? (isFinished() ? 'completed' : 'incomplete')
    const named = closed && response !== null && !RUNNING.has(response.status)
    return structuredClone({
      ...(response ?? { object: 'response' }),
      status: named ? (response?.status ?? status) : status,
      output: hasOwnOutput()
        ? (response?.output ?? [])
        : items.toJson(status === 'completed' ? status : 'incomplete')
    })
  }

  return {
    readEvent(data) {
      if (end !== null || broken) return true
      if (isEndMark(data)) {
        marked = true
        return true
      }
      const given = parseJson(data)
      if (!isObject(given)) return false
      const event = isTooDeep(given) ? withoutDepths(given) : given
      const { type } = event
      const untyped = type === undefined || type === null
      const isError = untyped && given.error !== undefined && given.error !== null
      if (type === 'error' || isError) {
        broken = true
        return true
      }
      const ending = ENDS.get(type)
      closed = ending !== undefined && isObject(event.response)
      if (isObject(event.response) && (ending || BEGINNINGS.has(type))) take(event.response)
      if (ending) {
        end = ending
        return true
      }
      if (!BEGINNINGS.has(type)) items.read(event)
      else if (Array.isArray(response?.output)) items.begin(response.output)
      return false
    },

    readBody(body) {
      const isResponse = body.object === 'response' || body.object === undefined
      const { status } = body
      if (!isResponse || !Array.isArray(body.output) || isTooDeep(body)) return false
      if (status === 'queued' || status === 'in_progress') return false
      take(body)
      closed = true
      end = status === 'failed' || status === 'incomplete' ? status : 'completed'
      return true
    },

    get finished() {
      return isFinished()
    },
    get failure() {
      if (broken) return 'broken'
      return end === 'failed' ? 'failed' : null
    },
    get size() {
      return responseSize + (hasOwnOutput() ? 0 : items.size)
    },

    answer() {
      const output = whole()
      const details = output?.incomplete_details
      return {
        text: output && Array.isArray(output.output) ? textOfItems(output.output) : null,
        finishReason: isObject(details) && typeof details.reason === 'string' ? details.reason : null,
        completionId,
        model,
        output: output && { response: output }
      }
    }
  }
}

/** What people read of the output: the text of its messages, or null when they have none. */
function textOfItems(output: Json[]): string | null {
  const texts = output.flatMap((item) =>
    isObject(item) && item.type === 'message' && Array.isArray(item.content)
      ? [textOfParts(item.content)]
      : []
  )
  return texts.filter(Boolean).join('\n\n') || null
}

function textOfParts(parts: Json[]): string {
  return parts
    .flatMap((part) =>
      isObject(part) && part.type === 'output_text' && typeof part.text === 'string' ? [part.text] : []
    )
    .join('')
}

/** An index takes no empty name and no long one. */
function nameOf(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' && value.length <= 256 ? value : null
}

/** What nests too deeply cannot be kept; the rest of its event still counts, above all that the answer ended. */
function withoutDepths(event: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(event).filter(([, value]) => !isTooDeep(value, MAX_DEPTH - 1)))
}
