/**
 * What every storage driver promises. Types and promises only; `test/storage/contract.ts` holds each
 * driver to them. Ids are made by the caller and ordered in time. Instants are Unix milliseconds.
 *
 * Texts come back as they were given, except that NUL and lone surrogates, which not every database
 * can hold, come back as U+FFFD. JSON values (`detail`, `metadata`) come back exactly.
 *
 * Every method rejects with `StoreError`: `STORE_UNAVAILABLE` when the store could not be reached or
 * could not write (nothing was changed), `STORE_UNCERTAIN` when the connection broke while a write was under
 * way (it may have happened), `STORE_CORRUPT` when what is stored cannot be read.
 */
export interface Store {
  /** Live figures since the store was opened. */
  readonly counters: StoreCounters

  /** Brings the schema up to date and makes the store ready. Safe to call from several processes. */
  initialize(): Promise<void>

  /** Resolves when the store answers; for readiness probes. */
  ping(): Promise<void>

  createConversation(conversation: NewConversation): Promise<Conversation>

  /** The conversation, or null when it does not exist or belongs to another session. */
  getConversation(sessionId: string, id: string): Promise<Conversation | null>

  /** A page of the session's conversations, by id. */
  listConversations(sessionId: string, page: ConversationPage): Promise<Page<Conversation>>

  /** Replaces the fields given and resolves to the result; null as in `getConversation`. */
  updateConversation(
    sessionId: string,
    id: string,
    changes: ConversationChanges
  ): Promise<Conversation | null>

  /** Deletes the conversation and all its turns for good. False when there was none of this session's. */
  deleteConversation(sessionId: string, id: string): Promise<boolean>

  /**
   * In one transaction takes the conversation's next `seq` and inserts the turn as `in_progress`. With
   * `create` the conversation is made in the same transaction. Resolves to null, and changes nothing, when
   * the conversation is not there for this session. Rejects with `PARENT_INVALID`, and changes nothing,
   * when `parentSeq` names a turn that does not exist or was superseded.
   */
  beginTurn(turn: NewTurn): Promise<{ seq: number; parentSeq: number } | null>

  /**
   * Ends a turn that is `in_progress`, or that recovery took for lost, in one transaction. A completed
   * turn that follows an older one marks the turns in between `superseded`, unless it is superseded itself.
   * Resolves to false, and changes nothing, when the turn has ended already or its conversation was deleted.
   */
  finishTurn(turn: TurnKey, ending: TurnEnding): Promise<boolean>

  /** A page of a conversation's turns, by seq; null as in `getConversation`. */
  listTurns(sessionId: string, conversationId: string, page: TurnPage): Promise<Page<Turn> | null>

  /**
   * Advances this owner's beat by one and resolves to the beats of all owners that were not recovered; an owner
   * of running turns that has not beaten since counts as 0.
   */
  beat(owner: string): Promise<OwnerBeat[]>

  /**
   * Ends every running turn of `owner` as `incomplete`/`server_lost` and forgets its beat. Resolves to
   * the number of turns ended.
   */
  recoverTurns(owner: string): Promise<number>

  /** Conversations of all sessions by id, from after `after` on; for moving data to another store. */
  exportConversations(after: string | null, limit: number): Promise<Conversation[]>

  /** Writes the conversation as it is, over one with its id. Its turns stay. */
  importConversation(conversation: Conversation): Promise<void>

  /** Writes turns of one imported conversation as they are, over those with their seq; at most 500. */
  importTurns(turns: Turn[]): Promise<void>

  /** Waits for writes under way, then closes. Calling it again does nothing. */
  close(): Promise<void>
}

/** Physical write transactions, and the writes that shared them. */
export interface StoreCounters {
  transactions: number
  writes: number
}

export interface Conversation {
  id: string
  sessionId: string
  title: string | null
  /** The model of the newest turn. */
  model: string | null
  metadata: Record<string, string>
  pinned: boolean
  /** The seq of the newest turn, 0 when there is none. */
  lastSeq: number
  createdAt: number
  /** When the newest turn began. */
  activeAt: number
}

export type NewConversation = Pick<
  Conversation,
  'id' | 'sessionId' | 'title' | 'model' | 'metadata' | 'createdAt'
>

export type ConversationChanges = Partial<Pick<Conversation, 'title' | 'metadata' | 'pinned'>>

export type TurnStatus = 'in_progress' | 'completed' | 'incomplete' | 'failed'

/** Why a turn did not complete. */
export type TurnErrorCode =
  | 'client_disconnect'
  | 'upstream_error'
  | 'upstream_truncated'
  | 'upstream_timeout'
  | 'answer_too_large'
  | 'server_shutdown'
  | 'server_lost'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type JsonObject = { [key: string]: Json }

export interface TurnKey {
  id: string
  conversationId: string
  seq: number
  parentSeq: number
}

export interface Turn extends TurnKey {
  superseded: boolean
  userText: string | null
  assistantText: string | null
  status: TurnStatus
  finishReason: string | null
  error: TurnErrorCode | null
  /** The upstream's own id of the answer; not unique. */
  completionId: string | null
  /** What text alone cannot say; null for a plain exchange. */
  detail: JsonObject | null
  createdAt: number
}

export interface NewTurn {
  id: string
  sessionId: string
  conversationId: string
  /** True: the conversation does not exist yet and is made with this turn. */
  create: boolean
  /** The turn this one follows, 0 for the beginning; null for the newest turn. */
  parentSeq: number | null
  /** The conversation's title when it has none yet. */
  title: string | null
  model: string | null
  userText: string | null
  detail: JsonObject | null
  /** The process that runs the turn; recovery ends its turns when it dies. */
  owner: string
  createdAt: number
}

export interface TurnEnding {
  status: Exclude<TurnStatus, 'in_progress'>
  error: TurnErrorCode | null
  finishReason: string | null
  completionId: string | null
  assistantText: string | null
  detail: JsonObject | null
}

export interface OwnerBeat {
  owner: string
  beat: number
}

export interface Page<T> {
  data: T[]
  /** Whether more rows follow in the direction of the page. */
  hasMore: boolean
}

export interface ConversationPage {
  limit: number
  order: 'asc' | 'desc'
  /** Only what comes after this id in the order asked for. */
  after?: string | undefined
  /** Only what comes before this id in the order asked for; the page ends next to it. */
  before?: string | undefined
  pinned?: boolean | undefined
}

export interface TurnPage {
  limit: number
  order: 'asc' | 'desc'
  /** Only turns with a greater seq. */
  afterSeq?: number | undefined
  /** Only turns with a smaller seq. */
  beforeSeq?: number | undefined
  includeSuperseded?: boolean | undefined
}
