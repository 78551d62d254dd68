import type { RawBuilder, SqlBool } from 'kysely'
import type { NewTurn, RunningTurn, TurnEnding, TurnKey } from '../../contract.ts'
import type { Db } from './tables.ts'

/** One statement, and what comes of it. */
export type InOne<T> = (db: Db, dialect: SqlDialect) => Promise<T>

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

  /** The writes of a turn as one statement, where the database has such: null for a write that takes more. */
  readonly inOneStatement?: {
    begin(turn: NewTurn): InOne<TurnKey | null> | null
    finish(turn: RunningTurn, ending: TurnEnding): InOne<boolean> | null
  }

  /** A query for the ids of the conversations in which one entry has all `words`. */
  conversationsWith(words: string[]): RawBuilder<string>
}
