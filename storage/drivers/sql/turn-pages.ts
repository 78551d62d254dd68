import type { PageOfTurns, SessionTurn, SessionTurnPage, Turn, TurnKind, TurnPage } from '../../contract.ts'
import { storableText } from '../../storable-text.ts'
import { hasPairs, pairsInJson, readMatching } from '../metadata-filter.ts'
import { getConversation } from './conversations.ts'
import type { SqlDialect } from './dialect.ts'
import { readTurns } from './media.ts'
import { type Db, TURN_COLUMNS, toMetadata } from './tables.ts'
import { readTurnPage, sizedColumns } from './turns-within.ts'

export async function listTurns(
  db: Db,
  sessionId: string,
  conversationId: string,
  page: TurnPage
): Promise<PageOfTurns | null> {
  let query = db
    .selectFrom('turns')
    .innerJoin('conversations', 'conversations.id', 'turns.conversation_id')
    .where('turns.conversation_id', '=', conversationId)
    .where('conversations.session_id', '=', sessionId)
  if (page.afterSeq !== undefined) query = query.where('turns.seq', '>', page.afterSeq)
  if (page.beforeSeq !== undefined) query = query.where('turns.seq', '<', page.beforeSeq)
  if (!page.includeSuperseded) query = query.where('turns.superseded', '=', 0)
  if (page.withoutFailed) query = query.where('turns.status', '<>', 'failed')
  query = query.orderBy('turns.seq', page.order).limit(page.limit + 1)
  const found = await readTurnPage(db, page, (share) => query.select(sizedColumns(share)).execute())
  if (found.data.length === 0 && !(await getConversation(db, sessionId, conversationId))) return null
  return found
}

export async function findTurn(
  db: Db,
  sessionId: string,
  by: { id: string } | { completionId: string; kind: TurnKind }
): Promise<Turn | null> {
  const ofSession = db.selectFrom('turns').select(TURN_COLUMNS).where('session_id', '=', sessionId)
  if ('id' in by) return await first(ofSession.where('id', '=', storableText(by.id)))
  const ofId = ofSession
    .where('completion_id', '=', storableText(by.completionId))
    .where('kind', '=', by.kind)
    .orderBy('id', 'desc')
  // One status after the other: some upstreams give all answers the same id, and the index has them in this order.
  for (const status of ['completed', 'incomplete'] as const) {
    const turn = await first(ofId.where('status', '=', status))
    if (turn) return turn
  }
  return null

  async function first(query: typeof ofSession): Promise<Turn | null> {
    const [turn] = await readTurns(db, () => query.limit(1).execute())
    return turn ?? null
  }
}

export async function listSessionTurns(
  db: Db,
  dialect: SqlDialect,
  sessionId: string,
  page: SessionTurnPage
): Promise<PageOfTurns<SessionTurn>> {
  const { limit, order, after, metadata = {} } = page
  const pairs = pairsInJson(metadata)
  let listed = db
    .selectFrom('turns')
    .where('session_id', '=', sessionId)
    .where('kind', '=', page.kind)
    .where('status', '=', 'completed')
  if (page.model !== undefined) listed = listed.where('model', '=', storableText(page.model))
  for (const pair of pairs) listed = listed.where(dialect.contains('metadata', pair))
  // A pair's JSON may, by accident, stand inside another value.
  const matches =
    pairs.length > 0 ? (row: { id: string; metadata: string }) => hasPairs(toMetadata(row), metadata) : null

  const found = await readTurnPage(db, page, (share) =>
    readMatching(
      limit + 1,
      after,
      (cursor, count) => {
        const query = listed.select(sizedColumns(share)).orderBy('id', order).limit(count)
        const rest = cursor === undefined ? query : query.where('id', order === 'asc' ? '>' : '<', cursor)
        return rest.execute()
      },
      matches
    )
  )
  const { data } = found
  const newest = new Map<string, string>()
  const ids = data.flatMap(({ completionId }) => completionId ?? [])
  if (ids.length > 0) {
    const rows = await db
      .selectFrom('turns')
      .select(['completion_id', (eb) => eb.fn.max('id').as('newest')])
      .where('session_id', '=', sessionId)
      .where('completion_id', 'in', ids)
      .where('kind', '=', page.kind)
      .where('status', '=', 'completed')
      .groupBy('completion_id')
      .execute()
    for (const row of rows) newest.set(row.completion_id ?? '', row.newest)
  }
  const isNewest = ({ id, completionId }: Turn): boolean =>
    completionId === null || id >= (newest.get(completionId) ?? id)
  return { ...found, data: data.map((turn) => ({ ...turn, newestOfItsId: isNewest(turn) })) }
}
