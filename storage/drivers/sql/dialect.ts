import type { RawBuilder, Selectable, SelectQueryBuilder, SqlBool } from 'kysely'
import type { NewTurn, RunningTurn, TurnEnding, TurnKey } from '../../contract.ts'
import type { Db, Tables } from './tables.ts'

/** A query for conversations, in no order yet. */
export type ConversationQuery = SelectQueryBuilder<
  Tables,
  'conversations',
  Selectable<Tables['conversations']>
>

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

  /** Runs a statement on the only connection there is, inside the transaction that is open: spares it Kysely's way there. */
  execute?<R>(sql: string, parameters: unknown[]): { rows: R[] }

  /** The writes of a turn as one statement, where the database has such: null for a write that takes more. */
  readonly inOneStatement?: {
    begin(turn: NewTurn): InOne<TurnKey | null> | null
    finish(turn: RunningTurn, ending: TurnEnding): InOne<boolean> | null
  }

  /**
   * Of `conversations`, the first `count` by their ids in that direction that have all `words`, of which there are some,
   * in one entry.
   */
  conversationsWith(
    db: Db,
    conversations: ConversationQuery,
    words: string[],
    direction: 'asc' | 'desc',
    count: number
  ): Promise<Selectable<Tables['conversations']>[]>
}
