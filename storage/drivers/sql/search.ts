import { searchWords } from '../../search-words.ts'
import type { SqlDialect } from './dialect.ts'
import type { Db, Tables } from './tables.ts'

/** The entry of the title, beside those of the turns. */
const TITLE = 0

export async function indexTitle(
  db: Db,
  dialect: SqlDialect,
  conversationId: string,
  title: string | null
): Promise<void> {
  await index(db, dialect, conversationId, TITLE, title ?? '')
}

export type IndexedTurn = Pick<
  Tables['turns'],
  'conversation_id' | 'seq' | 'superseded' | 'user_text' | 'assistant_text' | 'status'
>
export const INDEXED_COLUMNS = [
  'conversation_id',
  'seq',
  'superseded',
  'user_text',
  'assistant_text',
  'status'
] as const

/** Makes the turn found when it counts, and not found when it does not. */
export async function indexTurn(db: Db, dialect: SqlDialect, turn: IndexedTurn): Promise<void> {
  const counts = turn.superseded === 0 && turn.status !== 'in_progress'
  const text = counts ? `${turn.user_text ?? ''}\n${turn.assistant_text ?? ''}` : ''
  await index(db, dialect, turn.conversation_id, turn.seq, text)
}

async function index(db: Db, dialect: SqlDialect, conversationId: string, seq: number, text: string) {
  const words = searchWords(text)
  if (words.length > 0) await dialect.putWords(db, conversationId, seq, words)
  else await unindex(db, conversationId, [seq])
}

export async function unindex(db: Db, conversationId: string, seqs: number[]): Promise<void> {
  await db
    .deleteFrom('search_entries')
    .where('conversation_id', '=', conversationId)
    .where('seq', 'in', seqs)
    .execute()
}

/** Whether `words` can be in the index at all. In a query, anything else might mean something. */
export function areWords(words: string[]): boolean {
  return words.every((word) => {
    const [first] = searchWords(word)
    return first === word
  })
}
