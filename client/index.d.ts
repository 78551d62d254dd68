import type {
  ChatCompletion,
  ChatCompletionRequest,
  Conversation,
  ConversationChanges,
  ConversationDeleted,
  NewConversation,
  Stats,
  Turn
} from './schema.d.ts'

export type {
  ChatCompletion,
  Conversation,
  ConversationChanges,
  ConversationDeleted,
  Metadata,
  NewConversation,
  Stats,
  StatsDay,
  StatsEnding,
  Turn
} from './schema.d.ts'

/**
 * Makes a client of one service. Nothing is asked before a call. Every call rejects with `TurnkeeperError`, or with
 * the `reason` of its aborted `signal`. Throws a `TypeError` when `baseUrl` is missing outside of a page, or no URL.
 */
export function createClient(options?: ClientOptions): Client

export interface ClientOptions {
  /** Where the API is, up to and including `/v1`. Default: `./v1`, relative to the page; required in Node. */
  baseUrl?: string | undefined
  /** Sent as `authorization: Bearer …`. A function is called for each request; no key is sent where it gives none. */
  apiKey?: string | (() => string | undefined | Promise<string | undefined>) | undefined
  /** Sent with every request. */
  headers?: Record<string, string> | undefined
  /** Used in place of the global `fetch`. */
  fetch?: typeof fetch | undefined
}

export interface RequestOptions {
  /** Aborted, it ends the call, which then rejects with its `reason`. `AbortSignal.timeout(ms)` bounds the time. */
  signal?: AbortSignal | undefined
  /** Sent with this request; they go before those of the client, and before its key. */
  headers?: Record<string, string> | undefined
}

export interface Client {
  readonly conversations: {
    /** Makes a conversation, empty or with `items`. */
    create(body?: NewConversation, options?: RequestOptions): Promise<Conversation>
    /** Conversations in the order in which they were made, newest first; `q` and `metadata` search them. */
    list(query?: ConversationQuery, options?: RequestOptions): Pages<Conversation>
    /** Rejects with `conversation_not_found` (404) where there is none of this session. */
    get(id: string, options?: RequestOptions): Promise<Conversation>
    /** Changes `title`, `metadata` or `pinned`: what is given replaces what was there, null empties it. */
    update(id: string, changes: ConversationChanges, options?: RequestOptions): Promise<Conversation>
    /** Deletes it and its turns for good. With `keepalive` the request outlives the page that made it. */
    delete(
      id: string,
      options?: RequestOptions & { keepalive?: boolean | undefined }
    ): Promise<ConversationDeleted>
  }
  readonly turns: {
    /** The history, a row per turn, oldest first. */
    list(conversationId: string, query?: TurnQuery, options?: RequestOptions): Pages<Turn>
    /** One turn, superseded or not. Rejects with `turn_not_found` (404) where the conversation has no such turn. */
    get(conversationId: string, seq: number, options?: RequestOptions): Promise<Turn>
  }
  readonly chat: {
    /** One answer, whole. `filed` is null when nothing was recorded. */
    create(
      body: ChatRequest & { stream?: false | null },
      options?: ChatOptions
    ): Promise<{ completion: ChatCompletion; filed: Filed | null }>
    /** One answer, as it comes. The request starts now; whatever it fails with comes out of the stream. */
    stream(body: ChatRequest, options?: ChatOptions): ChatStream
  }
  readonly models: {
    /** The upstream's models. */
    list(options?: RequestOptions): Promise<Model[]>
  }
  readonly stats: {
    /** How many turns there were, day by day, today last. */
    get(query?: { days?: number | undefined }, options?: RequestOptions): Promise<Stats>
  }
  /** The figures for Prometheus, as text: `/metrics` beside `/v1`. It may want a token of its own in `headers`. */
  metrics(options?: RequestOptions): Promise<string>
}

export interface ConversationQuery {
  /** Words: only conversations that have them, in the title or in one turn. */
  q?: string | undefined
  pinned?: boolean | undefined
  /** Only conversations whose metadata has all these pairs. */
  metadata?: Record<string, string> | undefined
  /** Default: `desc`, newest first. */
  order?: 'asc' | 'desc' | undefined
  /** Entries a page, 1 to 100. Default: 20. */
  limit?: number | undefined
  /** An id: begins after it. */
  after?: string | undefined
  /** An id: goes backwards from it. Each page ends next to the one before, and entries come nearest first. */
  before?: string | undefined
}

export interface TurnQuery {
  /** By `seq`. Default: `asc`. */
  order?: 'asc' | 'desc' | undefined
  /** Entries a page, 1 to 100. Default: 20. */
  limit?: number | undefined
  /** Only turns with a greater `seq`, whatever the order. */
  after_seq?: number | undefined
  /** Only turns with a smaller `seq`, whatever the order. */
  before_seq?: number | undefined
  /** Replaced turns too. */
  include?: 'superseded' | undefined
}

/**
 * A list that is asked for as it is read: `for await (const entry of list)` gives the entries of all pages one by one.
 * Each iteration asks anew, from the beginning.
 */
export interface Pages<T> extends AsyncIterable<T> {
  /**
   * Page by page. A page may have fewer entries than `limit` and not be the last: `has_more` says whether it is.
   * `const { value: page } = await list.pages().next()` is the first.
   */
  pages(): AsyncIterableIterator<Page<T>>
}

export interface Page<T> {
  object: 'list'
  data: T[]
  first_id: string | null
  last_id: string | null
  has_more: boolean
}

/** What `POST /v1/chat/completions` takes; other fields than these go on to the upstream as they are. */
export type ChatRequest = ChatCompletionRequest

export interface ChatOptions extends RequestOptions {
  /** The conversation to file the turn in. Without it, and without `conversation` in the body, a new one. */
  conversationId?: string | undefined
  /** The `seq` of the turn that this one follows, to regenerate or edit; 0 is the beginning. Default: the newest. */
  parentSeq?: number | undefined
  /** What becomes of the answer when the client leaves: `finish` has it read to its end and kept. Default: the server's. */
  onDisconnect?: 'abort' | 'finish' | undefined
  /** Names the request for 24 hours: made again, it is answered from its turn. */
  idempotencyKey?: string | undefined
}

/** Where a turn is kept. */
export interface Filed {
  conversationId: string
  turnId: string
  seq: number
}

/**
 * An answer under way: `for await (const piece of stream)` gives the text of choice 0, piece by piece. It is read as
 * it comes, whether or not anybody iterates, and every iteration starts at its beginning. To leave a loop early is
 * `stop()`. An iteration throws what the answer ends with, after the pieces that came: an error of the service or of
 * the upstream with its code, or `stream_truncated` where the stream broke off.
 */
export interface ChatStream extends AsyncIterable<string> {
  /** The whole chunks in place of the text: reasoning, tool calls, usage, other choices. */
  chunks(): AsyncIterableIterator<ChatChunk>
  /**
   * Where the turn is kept; known with the answer's headers, before the first piece, and also where the upstream's answer
   * is an error, which is kept too. Null when nothing is recorded, or when `stop()` came first. Rejects when there is no
   * turn because the request was refused.
   */
  readonly filed: Promise<Filed | null>
  /**
   * The stored turn, once it has ended in whatever way: after `stop()`, a stream that broke off or an error of the
   * upstream, `status` and `error` say how. It is asked for again for up to a minute while it is `in_progress`, and then
   * given as it is. Null when nothing is recorded, or where is not known. Rejects when the request itself was refused.
   */
  turn(): Promise<Turn | null>
  /** Ends the answer by closing the connection. Iterations end without an error. */
  stop(): void
}

/** A `chat.completion.chunk` as the upstream sent it; one without `choices` has an empty list. */
export interface ChatChunk {
  id?: string
  created?: number
  model?: string
  choices: ChatChunkChoice[]
  /** Sent last, when asked for with `stream_options: { include_usage: true }`. */
  usage?: Record<string, unknown> | null
  [field: string]: unknown
}

export interface ChatChunkChoice {
  index?: number
  delta?: { role?: string; content?: string | null; [field: string]: unknown }
  finish_reason?: string | null
  [field: string]: unknown
}

/** A model as the upstream describes it. */
export interface Model {
  id: string
  [field: string]: unknown
}

/** What calls reject with. */
export class TurnkeeperError extends Error {
  constructor(message: string, details?: Partial<Omit<TurnkeeperError, 'name' | 'message' | 'stack'>>)
  /** Of the answer: 200 where a stream broke off. 0: no answer came. */
  readonly status: number
  /**
   * What to branch on: a code of the service or of the upstream, null where an answer has none, or one of the client's
   * own: `network_error`, `stream_truncated`, `unreadable_answer`, `turn_not_found`.
   */
  readonly code: string | null
  /** The field, parameter or header that is wrong. */
  readonly param: string | null
  readonly type: string | null
  /** When to try again, where the answer says so. */
  readonly retryAfterSeconds: number | null
}
