import type { Conversation, ConversationPage, Page } from '../../contract.ts'
import { hasPairs, pairsInJson, readMatching } from '../metadata-filter.ts'
import type { SqlDialect } from './dialect.ts'
import { areWords } from './search.ts'
import { type Db, toConversation, toMetadata } from './tables.ts'

export async function listConversations(
  db: Db,
  dialect: SqlDialect,
  sessionId: string,
  page: ConversationPage
): Promise<Page<Conversation>> {
  const { after, before, limit, order, metadata = {}, words = [] } = page
  // A page that ends next to `before` is read backwards from it and turned round.
  const direction = before === undefined ? order : order === 'asc' ? 'desc' : 'asc'
  const pairs = pairsInJson(metadata)
  if (!areWords(words)) return { data: [], hasMore: false }

  let query = db.selectFrom('conversations').selectAll().where('session_id', '=', sessionId)
  if (page.pinned !== undefined) query = query.where('pinned', '=', page.pinned ? 1 : 0)
  for (const pair of pairs) query = query.where(dialect.contains('metadata', pair))

  const rows = await readMatching(
    limit + 1,
    before ?? after,
    (cursor, count) => {
      const rest = cursor === undefined ? query : query.where('id', direction === 'asc' ? '>' : '<', cursor)
      if (words.length > 0) return dialect.conversationsWith(db, rest, words, direction, count)
      return rest.orderBy('id', direction).limit(count).execute()
    },
    // A pair's JSON may, by accident, stand inside another value.
    pairs.length > 0 ? (row) => hasPairs(toMetadata(row), metadata) : null
  )
  const data = rows.slice(0, limit).map(toConversation)
  return { data: direction === order ? data : data.reverse(), hasMore: rows.length > limit }
}
