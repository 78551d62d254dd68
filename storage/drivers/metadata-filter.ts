/** Fewer rows at once would be many queries where few rows match. */
const MIN_PORTION = 50

/** Reads rows after `cursor`, in portions, until `limit` of them match or no more follow. */
export async function readMatching<R extends { id: string }>(
  limit: number,
  cursor: string | undefined,
  read: (cursor: string | undefined, count: number) => Promise<R[]>,
  matches: ((row: R) => boolean) | null
): Promise<R[]> {
  if (!matches) return await read(cursor, limit)
  const count = Math.max(limit, MIN_PORTION)
  const found: R[] = []
  for (let after = cursor; ; ) {
    const rows = await read(after, count)
    found.push(...rows.filter(matches))
    const last = rows.at(-1)
    if (!last || rows.length < count || found.length >= limit) return found.slice(0, limit)
    after = last.id
  }
}

/** Whether `metadata` has all the pairs asked for. */
export function hasPairs(metadata: Record<string, string>, pairs: Record<string, string> = {}): boolean {
  return Object.entries(pairs).every(
    ([key, value]) => Object.hasOwn(metadata, key) && metadata[key] === value
  )
}

/** The pairs as each stands in the metadata's JSON. */
export function pairsInJson(pairs: Record<string, string>): string[] {
  return Object.entries(pairs).map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`)
}
