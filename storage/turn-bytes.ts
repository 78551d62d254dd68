import type { ByteBound, PageOfTurns, Turn } from './contract.ts'

/** How much content a turn holds, as `ByteBound` has it. */
export function turnBytes({
  userText,
  assistantText,
  detail
}: Pick<Turn, 'userText' | 'assistantText' | 'detail'>): number {
  const json = detail === null ? '' : JSON.stringify(detail)
  return Buffer.byteLength(userText ?? '') + Buffer.byteLength(assistantText ?? '') + Buffer.byteLength(json)
}

/** The page that `rows`, which are all that follow, begin with; for drivers that have them at hand. */
export function pageOfTurns<R, T extends Turn>(
  rows: R[],
  { limit, maxBytes }: ByteBound & { limit: number },
  toTurn: (row: R) => T
): PageOfTurns<T> {
  if (maxBytes === undefined) {
    const data = rows.slice(0, limit).map((row) => toTurn(row))
    return { data, hasMore: rows.length > limit }
  }
  const data: T[] = []
  let bytes = 0
  for (const row of rows.slice(0, limit)) {
    const turn = toTurn(row)
    const sum = bytes + turnBytes(turn)
    if (data.length > 0 && sum > maxBytes) break
    data.push(turn)
    bytes = sum
  }
  return { data, hasMore: rows.length > data.length, bytes }
}
