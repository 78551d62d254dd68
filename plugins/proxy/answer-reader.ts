import type { JsonObject } from '../../storage/contract.ts'
import type { Answer } from '../../storage/persistence.ts'

/** Whether an event's data is the mark that ends a stream, as official SDKs tell it. */
export function isEndMark(data: string): boolean {
  return data.startsWith('[DONE]')
}

/** Gathers an answer while it passes; one implementation per protocol. */
export interface AnswerReader {
  /** Reads the data of one server-sent event; true when it ends the stream. */
  readEvent(data: string): boolean
  /** Reads a whole JSON answer; false when it is not one. */
  readBody(body: JsonObject): boolean
  /** Whether the end was seen, by meaning: the end mark, or a finish reason for every choice. */
  readonly finished: boolean
  /** `broken`: the upstream sent an error in place of the answer's rest. `failed`: its whole answer says that it failed. */
  readonly failure: 'broken' | 'failed' | null
  /** Characters gathered. */
  readonly size: number
  /** What has come so far. */
  answer(): Answer
}
