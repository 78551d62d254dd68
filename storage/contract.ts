import type {
  AddedTurn,
  ApiKey,
  BegunTurn,
  Conversation,
  ConversationChanges,
  ConversationChoice,
  ConversationPage,
  DeletedBatch,
  FoundMark,
  MarkedTurn,
  MarkPage,
  MarksSought,
  NewConversation,
  NewTurn,
  OwnerBeat,
  Page,
  PageOfTurns,
  RunningTurn,
  SessionTurn,
  SessionTurnPage,
  StoreConnections,
  StoreCounters,
  Turn,
  TurnContent,
  TurnCount,
  TurnEnding,
  TurnKey,
  TurnKind,
  TurnPage
} from './records.ts'

export type * from './records.ts'

/**
 * What every storage driver promises. Promises only; what they speak of is in `records.ts`, and `test/storage/contract.ts` holds each
 * driver to them. Ids are made by the caller and ordered in time. Instants are Unix milliseconds.
 *
 * Texts come back as they were given, except that NUL and lone surrogates, which not every database
 * can hold, come back as U+FFFD. JSON values (`detail`, `metadata`) come back exactly.
 *
 * Every method rejects with `StoreError`: `STORE_UNAVAILABLE` when the store could not be reached or
 * could not write (nothing was changed), `STORE_UNCERTAIN` when the connection broke while a write was under
 * way (it may have happened; the error of `beginTurn` then has the `turn` that may have begun, where its id is not the one given), `STORE_CORRUPT` when what is stored cannot be read.
 */
export interface Store {
  /** Live figures since the store was opened. */
  readonly counters: StoreCounters

  /** Live figures of a driver that has connections to share. */
  readonly connections?: StoreConnections

  /** The keys with which clients say who they are. */
  readonly keys: ApiKeys

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

  /** How many conversations are meant; counts no further than `upTo`. */
  countConversations(which: ConversationChoice, upTo: number): Promise<number>

  /**
   * Deletes some of the conversations meant, whole and for good, in one short transaction: as many as together have
   * about `maxTurns` turns, but at least one. Resolves to zeros when there is none left. What another process is
   * deleting or using at the moment may be left for a later call; several processes may call it at once.
   */
  deleteConversations(which: ConversationChoice, maxTurns: number): Promise<DeletedBatch>

  /**
   * In one transaction takes the conversation's next `seq` and inserts the turn as `in_progress`. With
   * `create` the conversation is made in the same transaction. Resolves to null, and changes nothing, when
   * the conversation is not there for this session. Rejects, and changes nothing, with
   * `PARENT_INVALID` when `parentSeq` names a turn that does not exist, with `CONVERSATION_BUSY` when
   * `expectedLastSeq` is given and the conversation has another newest seq or a turn that runs, and with
   * `CONVERSATION_FULL` when its seq would be above `maxSeq`.
   *
   * A request that is made again is found again, and `create`, `parentSeq` and `conversationId` do not count then:
   * - `idempotencyKey`: the session's turn with that key, unless it began before `keysSince`: then it loses the key.
   *   Found with another `requestHash`, running or completed, it is reported as it is, and nothing is changed.
   * - `retrySince`: the session's newest turn with that `requestHash` that began then or later, and was neither
   *   completed nor is running nor has an idempotency key.
   * A turn found so, and ended without completing, begins anew under its own id and seq: as `in_progress`, with the
   * model, metadata, detail (see `keepsInput`) and owner given, the next `attempt`, and without an answer. Of `expectedLastSeq`
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
  finishTurn(turn: RunningTurn, ending: TurnEnding): Promise<boolean>

  /**
   * Adds turns that have no model call, as `completed`, each following the one before; in one transaction. Resolves
   * to them, or to null as in `getConversation`. Rejects, and adds none, with `CONVERSATION_FULL` when the last of them
   * would have a seq above `maxSeq`.
   */
  addTurns(
    sessionId: string,
    conversationId: string,
    turns: AddedTurn[],
    maxSeq: number | null
  ): Promise<Turn[] | null>

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
  listSessionTurns(sessionId: string, page: SessionTurnPage): Promise<PageOfTurns<SessionTurn>>

  /**
   * Counts the session's turns of model calls (the kinds `chat` and `response`) that began at `since` or later: by the
   * UTC day of their `createdAt`, by status and by error, in this order, without zeros. Superseded turns and those that
   * run count as well. Left out may be a turn whose id is from more than a day before its `createdAt`. A count of many
   * turns may be of more than one moment, and must not hold up what others ask.
   */
  countTurns(sessionId: string, since: number): Promise<TurnCount[]>

  /** A page of a conversation's turns, by seq; null as in `getConversation`. */
  listTurns(sessionId: string, conversationId: string, page: TurnPage): Promise<PageOfTurns | null>

  /**
   * The session's turns that have one of these marks: of each mark the newest 8. Neither the order nor whether a turn
   * that has two of them comes twice is promised.
   */
  findMarks(sessionId: string, sought: MarksSought): Promise<FoundMark[]>

  /** Turns of the session's conversation with their marks, by seq; superseded ones too. None where there is no such conversation. */
  listMarks(sessionId: string, conversationId: string, page: MarkPage): Promise<MarkedTurn[]>

  /** The id of the session's conversation that was made with this `externalKey`, or null. */
  findExternal(sessionId: string, externalKey: string): Promise<string | null>

  /** A random value of 32 bytes or more that this store was given when it was made; for keyed hashes. */
  secret(): Promise<string>

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

/** API keys, shared by all processes on the store: what one adds or removes, every other sees at its next call. */
export interface ApiKeys {
  /**
   * Makes the keys ready without `initialize`, for a command beside a running service. Safe to call from several
   * processes, and more than once.
   */
  prepare(): Promise<void>

  /** Adds the key, over one with its id. */
  add(key: ApiKey): Promise<void>

  /** All keys, by id. */
  list(): Promise<ApiKey[]>

  /** The key, or null when there is none with this id. */
  find(id: string): Promise<ApiKey | null>

  /** False when there was none with this id. */
  remove(id: string): Promise<boolean>
}
