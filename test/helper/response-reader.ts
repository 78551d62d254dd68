import { createResponseAnswer } from '../../plugins/proxy/response-answer.ts'
import type { JsonObject } from '../../storage/contract.ts'

/** A reader that has read these events, and what it said to each. */
export function readResponse(events: (JsonObject | string)[]) {
  const reader = createResponseAnswer()
  const ended = events.map((event) =>
    reader.readEvent(typeof event === 'string' ? event : JSON.stringify(event))
  )
  return { reader, ended }
}

/** The response that was gathered; an empty object when nothing came. */
export function gathered(events: (JsonObject | string)[]): JsonObject {
  return (readResponse(events).reader.answer().output?.response ?? {}) as JsonObject
}
