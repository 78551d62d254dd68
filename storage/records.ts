/** What goes into a store and comes out of it. Instants are Unix milliseconds. */

/** Physical write transactions, and the writes that shared them. */
export interface StoreCounters {
  transactions: number
  writes: number
}

/** Connections to a database: all that are open, those that nobody uses, and how many wait for one. */
export interface StoreConnections {
  readonly open: number
  readonly idle: number
  readonly waiting: number
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

/** A turn, by whoever runs it. */
export interface RunningTurn extends TurnKey {
  /** What it asks, where that is at hand: a driver then need not read it. */
  userText?: string | null | undefined
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
  /** The highest seq that the conversation may reach; null = any. */
  maxSeq: number | null
  /** Tells the request from others; at most 64 characters. */
  requestHash: string | null
  /** Names the request over several attempts; at most 64 characters. */
  idempotencyKey: string | null
  /** Of `TurnMarks`, that of the request. */
  askedMark?: string | null | undefined
  /**
   * With `create`: the name that somebody else has for the conversation, at most 64 characters. Where one of the session's
   * was made with it, the turn is begun in that one, as without `create`.
   */
  externalKey?: string | null | undefined
  /** A turn that begins anew keeps what it has of the question in `detail.input`. */
  keepsInput?: boolean | undefined
  /** With `create`: what the conversation's metadata has beside the turn's. */
  conversationMetadata?: Record<string, string> | undefined
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
  /** `input`: what a turn that begins anew has kept, with `keepsInput`. */
  | { outcome: 'begun'; turn: TurnKey; input?: JsonObject | null }
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
  /** Of `TurnMarks`, those of the answer. */
  tipMark?: string | null | undefined
  answerMark?: string | null | undefined
}

/**
 * Keyed hashes by which a later request finds the turn that it goes on from, each at most 64 characters; null where
 * there is none. They go with what they were made of.
 */
export interface TurnMarks {
  /** Of the dialogue that the request sent. */
  asked: string | null
  /** Of the same with its answer. */
  tip: string | null
  /** Of the answer alone. */
  answer: string | null
}

/** What a turn is found by: any of these marks. */
export interface MarksSought {
  /** At most 6. */
  tips: readonly string[]
  /** At most 4. */
  asked: readonly string[]
  answer: string | null
  /** Only in this conversation. */
  conversationId?: string | undefined
}

/** A turn without its content. */
export interface MarkedTurn
  extends Pick<Turn, 'conversationId' | 'seq' | 'parentSeq' | 'status' | 'superseded'> {
  marks: TurnMarks
}

/** The same with what is said of its conversation. */
export interface FoundMark extends MarkedTurn {
  /** The newest seq in its conversation. */
  lastSeq: number
  /** When the newest turn in its conversation began. */
  activeAt: number
}

export interface MarkPage {
  limit: number
  order: 'asc' | 'desc'
  /** Only turns with a greater seq. */
  afterSeq?: number | undefined
  /** Only turns with a smaller seq. */
  beforeSeq?: number | undefined
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

/** Bounds a page of turns by what they hold. */
export interface ByteBound {
  /**
   * The page ends before the turn with which its content would be more than this, but has one at least. Content is
   * the texts in UTF-8, and the detail as JSON with all its media.
   */
  maxBytes?: number | undefined
}

export interface PageOfTurns<T extends Turn = Turn> extends Page<T> {
  /** How much content the page holds; there when it was asked for with `maxBytes`. */
  bytes?: number
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

export interface SessionTurnPage extends ByteBound {
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

export interface TurnPage extends ByteBound {
  limit: number
  order: 'asc' | 'desc'
  /** Only turns with a greater seq. */
  afterSeq?: number | undefined
  /** Only turns with a smaller seq. */
  beforeSeq?: number | undefined
  includeSuperseded?: boolean | undefined
  /** Failed turns are left out. */
  withoutFailed?: boolean | undefined
}

/** Turns of one session that began on one day and have one ending, or run. */
export interface TurnCount {
  /** The first instant of the day in UTC. */
  day: number
  status: TurnStatus
  error: TurnErrorCode | null
  turns: number
}

/** Which conversations are meant: those to which all that is given applies. At least one of these is given. */
export interface ConversationChoice {
  /** Only this session's. */
  sessionId?: string | undefined
  /** Only what has all these pairs. */
  metadata?: Record<string, string> | undefined
  /** Only what was last active before this, is not pinned and has no turn that runs. */
  expiredBefore?: number | undefined
}

/** What one call of `deleteConversations` deleted. */
export interface DeletedBatch {
  conversations: number
  turns: number
}

export interface ApiKey {
  /** Public; in the key itself, for looking it up. */
  id: string
  /** Whose conversations the key opens. */
  sessionId: string
  /** What people call it. */
  name: string | null
  /** SHA-256 of the secret, hexadecimal. */
  hash: string
  createdAt: number
}
