/**
 * What every storage driver promises. Types and promises only; `test/storage/contract.ts` holds each
 * driver to them. Ids are made by the caller and ordered in time. Instants are Unix milliseconds.
 *
 * Texts come back as they were given, except that NUL and lone surrogates, which not every database
 * can hold, come back as U+FFFD. JSON values (`detail`, `metadata`) come back exactly.
 *
 * Every method rejects with `StoreError`: `STORE_UNAVAILABLE` when the store could not be reached or
 * could not write (nothing was changed), `STORE_UNCERTAIN` when the connection broke while a write was under
 * way (it may have happened; the error of `beginTurn` then has the `turn` that may have begun), `STORE_CORRUPT` when what is stored cannot be read.
 */
export interface Store {
  /** Live figures since the store was opened. */
  readonly counters: StoreCounters

  /** Brings the schema up to date and makes the store ready. Safe to call from several processes. */
  initialize(): Promise<void>

  /** Resolves when the store answers; for readiness probes. */
  ping(): Promise<void>

  /** Makes a conversation, and `turns` in it, in one transaction. */
  createConversation(conversation: NewConversation, turns?: AddedTurn[]): Promise<Conversation>

  /** The conversation, or null when it does not exist or belongs to another session. */
  getConversation(sessionId: string, id: string): Promise<Conversation | null>

  /** A page of the session's conversations, by id; see `ConversationPage` for what narrows it. */
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
   * the conversation is not there for this session. Rejects, and changes nothing, with
   * `PARENT_INVALID` when `parentSeq` names a turn that does not exist, and with `CONVERSATION_BUSY` when
   * `expectedLastSeq` is given and the conversation has another newest seq or a turn that runs.
   *
   * A request that is made again is found again, and `create`, `parentSeq` and `conversationId` do not count then:
   * - `idempotencyKey`: the session's turn with that key, unless it began before `keysSince`: then it loses the key.
   *   Found with another `requestHash`, running or completed, it is reported as it is, and nothing is changed.
   * - `retrySince`: the session's newest turn with that `requestHash` that began then or later, and was neither
   *   completed nor is running nor has an idempotency key.
   * A turn found so, and ended without completing, begins anew under its own id and seq: as `in_progress`, with the
   * model, metadata, detail and owner given, the next `attempt`, and without an answer. Of `expectedLastSeq`
   * only that no turn runs in its conversation counts then.
   */
  beginTurn(turn: NewTurn): Promise<BegunTurn | null>

  /**
   * Ends a turn that is `in_progress`, or that recovery took for lost, in one transaction; a later attempt is
   * another turn to it. A completed turn that is not the next after the one it follows becomes the end of the
   * conversation's path: the turns in between are marked `superseded`, and where the one it follows was superseded,
   * exactly the turns on the way to it are not: by `parentSeq`, and behind a turn that did not complete, which has
   * replaced nothing, the turn before. That is left out when it is superseded itself.
   * Resolves to false, and changes nothing, when the turn has ended already, was changed to the kind `items`, or is not
   * there any more.
   */
  finishTurn(turn: TurnKey, ending: TurnEnding): Promise<boolean>

  /**
   * Adds turns that have no model call, as `completed`, each following the one before; in one transaction. Resolves
   * to them, or to null as in `getConversation`.
   */
  addTurns(sessionId: string, conversationId: string, turns: AddedTurn[]): Promise<Turn[] | null>

  /**
   * Replaces what an ended turn says by what `change` makes of it; null deletes the turn, and leaves a gap in the
   * numbers. `change` may run more than once. False when the turn is not there for this session. Rejects with
   * `CONVERSATION_BUSY` when it is running.
   */
  changeTurn(
    sessionId: string,
    turn: Pick<TurnKey, 'id' | 'conversationId' | 'seq'>,
    change: (turn: Turn) => TurnContent | null
  ): Promise<boolean>

  /**
   * The session's turn with this id, or of that kind with the upstream's id the newest that completed, and where none
   * did the newest that did not fail; else null.
   */
  findTurn(
    sessionId: string,
    by: { id: string } | { completionId: string; kind: TurnKind }
  ): Promise<Turn | null>

  /** A page of the session's completed turns of one kind, over all conversations, by id. */
  listSessionTurns(sessionId: string, page: SessionTurnPage): Promise<Page<SessionTurn>>

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

/** Who made the turn: a chat completion, a response, or a client that added items without a model call. */
export type TurnKind = 'chat' | 'response' | 'items'

export interface TurnKey {
  id: string
  conversationId: string
  seq: number
  parentSeq: number
  /** 1, and one more each time the request was made again on this turn. */
  attempt: number
}

export interface Turn extends TurnKey {
  kind: TurnKind
  superseded: boolean
  /** The model that answered, or as long as that is not known, the one asked for. */
  model: string | null
  metadata: Record<string, string>
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
  kind: TurnKind
  /** The turn this one follows, 0 for the beginning; null for the newest turn. */
  parentSeq: number | null
  /** Begin only when this is the newest seq and no turn runs; null = whatever runs. */
  expectedLastSeq: number | null
  /** Tells the request from others; at most 64 characters. */
  requestHash: string | null
  /** Names the request over several attempts; at most 64 characters. */
  idempotencyKey: string | null
  /** Idempotency keys of turns that began before this do not count; Unix ms. */
  keysSince: number
  /** The request repeats one that failed, not longer ago than this; Unix ms, null = it does not. */
  retrySince: number | null
  /** The turn's, and that of the conversation when it is made with it. */
  metadata: Record<string, string>
  /** The conversation's title when it has none yet. */
  title: string | null
  model: string | null
  userText: string | null
  detail: JsonObject | null
  /** The process that runs the turn; recovery ends its turns when it dies. */
  owner: string
  createdAt: number
}

export type BegunTurn =
  | { outcome: 'begun'; turn: TurnKey }
  /** An idempotency key was met again. */
  | { outcome: 'known'; turn: Turn; sameRequest: boolean }

export type AddedTurn = Pick<Turn, 'id' | 'userText' | 'assistantText' | 'detail' | 'createdAt'>

/** What can be changed of a turn that has ended. */
export type TurnContent = Pick<Turn, 'kind' | 'metadata' | 'userText' | 'assistantText' | 'detail'>

export interface TurnEnding {
  status: Exclude<TurnStatus, 'in_progress'>
  error: TurnErrorCode | null
  finishReason: string | null
  completionId: string | null
  /** The model that answered; null leaves the one asked for. */
  model: string | null
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
  /** Only what has all these pairs. */
  metadata?: Record<string, string> | undefined
  /** Only what has all these words (see `search-words.ts`) in its title, or in one ended turn that counts. */
  words?: string[] | undefined
}

export interface SessionTurnPage {
  kind: TurnKind
  limit: number
  order: 'asc' | 'desc'
  /** Only what comes after this turn's id in the order asked for. */
  after?: string | undefined
  model?: string | undefined
  /** Only what has all these pairs. */
  metadata?: Record<string, string> | undefined
}

export interface SessionTurn extends Turn {
  /** Whether `findTurn` gives this turn for its `completionId`. */
  newestOfItsId: boolean
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
