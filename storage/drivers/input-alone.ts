import type { JsonObject } from '../contract.ts'

/** Of a turn's detail what it was asked, without what came of an attempt to answer it. */
export function inputAlone(detail: JsonObject | null): JsonObject | null {
  return detail?.input === undefined ? null : { input: detail.input }
}
