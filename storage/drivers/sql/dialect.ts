import type { RawBuilder, SqlBool } from 'kysely'
import type { Db } from './tables.ts'

/** What the two databases do in different ways. */
export interface SqlDialect {
  /**
   * The id, in a condition: whoever uses it waits for a deletion of that conversation that is under way, and holds
   * off the next one until the transaction ends. Locks are always taken in this order: the conversation, its turns.
   */
  held(conversationId: string): RawBuilder<string>

  /**
   * Ends a query for conversations: those that another transaction holds are left out of it, and this one holds the
   * others as they are now.
   */
  readonly heldUnlessBusy: RawBuilder<unknown>

  /** Whether the text in `column` has `part` in it. */
  contains(column: string, part: string): RawBuilder<SqlBool>

  /** Makes `words`, of which there are some, what can be found of an entry. */
  putWords(db: Db, conversationId: string, seq: number, words: string[]): Promise<void>

  /** A query for the ids of the conversations in which one entry has all `words`. */
  conversationsWith(words: string[]): RawBuilder<string>
}
