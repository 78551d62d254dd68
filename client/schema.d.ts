// Made from the service's own schemas by `npm run client:types`; a test holds it to them.

export interface Schemas {
  ChatCompletion: ChatCompletion
  ChatCompletionRequest: ChatCompletionRequest
  Conversation: Conversation
  ConversationChanges: ConversationChanges
  ConversationDeleted: ConversationDeleted
  ConversationList: ConversationList
  NewConversation: NewConversation
  Stats: Stats
  Turn: Turn
  TurnList: TurnList
}
/**
 * The upstream's chat completion, as it came.
 */
export interface ChatCompletion {
  id: string
  object: 'chat.completion'
  /**
   * Unix seconds
   */
  created: number
  model: string
  choices: {
    index: number
    message: {
      role: string
      [k: string]: unknown
    }
    finish_reason: string | null
    [k: string]: unknown
  }[]
  usage?: {
    [k: string]: unknown
  } | null
  [k: string]: unknown
}
export interface ChatCompletionRequest {
  /**
   * @minItems 1
   */
  messages: {
    role: string
    [k: string]: unknown
  }[]
  model?: string
  stream?: boolean | null
  n?: number | null
  store?: boolean | null
  metadata?: Metadata | null
  conversation?:
    | (
        | string
        | {
            id: string
          }
      )
    | null
  conversation_id?: string | null
  [k: string]: unknown
}
/**
 * Up to 16 pairs, keys of up to 64 and values of up to 512 characters.
 */
export interface Metadata {
  [k: string]: string
}
/**
 * A conversation.
 */
export interface Conversation {
  id: string
  object: 'conversation'
  /**
   * Unix seconds
   */
  created_at: number
  metadata: {
    [k: string]: string
  }
  title: string | null
  model: string | null
  pinned: boolean
  /**
   * The seq of the newest turn; 0 = there is none
   */
  last_seq: number
  /**
   * When the newest turn began; Unix seconds
   */
  active_at: number
}
export interface ConversationChanges {
  metadata?: Metadata | null
  title?: string | null
  pinned?: boolean
}
/**
 * It is deleted.
 */
export interface ConversationDeleted {
  id: string
  object: 'conversation.deleted'
  deleted: true
}
/**
 * A page of a list.
 */
export interface ConversationList {
  object: 'list'
  data: Conversation[]
  first_id: string | null
  last_id: string | null
  has_more: boolean
}
export interface NewConversation {
  metadata?: Metadata | null
  title?: string | null
  model?: string | null
  items?:
    | {
        type?: string
        role?: string
        [k: string]: unknown
      }[]
    | null
}
/**
 * How many turns there were, day by day.
 */
export interface Stats {
  object: 'stats'
  /**
   * Every day, oldest first; today is the last
   */
  days: StatsDay[]
}
/**
 * The turns of one day.
 */
export interface StatsDay {
  /**
   * The day in UTC, such as `2026-11-28`
   */
  date: string
  /**
   * How many turns began on it
   */
  turns: number
  endings: StatsEnding[]
}
/**
 * Turns of one day that ended in one way, or run.
 */
export interface StatsEnding {
  status: 'in_progress' | 'completed' | 'incomplete' | 'failed'
  error:
    | 'client_disconnect'
    | 'upstream_error'
    | 'upstream_truncated'
    | 'upstream_timeout'
    | 'answer_too_large'
    | 'server_shutdown'
    | 'server_lost'
    | null
  turns: number
}
/**
 * A question and its answer.
 */
export interface Turn {
  id: string
  object: 'conversation.turn'
  conversation_id: string
  /**
   * The number in the conversation, from 1
   */
  seq: number
  /**
   * The turn this one follows; 0 = the beginning
   */
  parent_seq: number
  /**
   * Whether another version has replaced it
   */
  superseded: boolean
  kind: 'chat' | 'response' | 'items'
  model: string | null
  metadata: {
    [k: string]: string
  }
  /**
   * 1, and one more each time the request was made again
   */
  attempt: number
  /**
   * Unix seconds
   */
  created_at: number
  status: 'in_progress' | 'completed' | 'incomplete' | 'failed'
  error:
    | 'client_disconnect'
    | 'upstream_error'
    | 'upstream_truncated'
    | 'upstream_timeout'
    | 'answer_too_large'
    | 'server_shutdown'
    | 'server_lost'
    | null
  finish_reason: string | null
  completion_id: string | null
  user_text: string | null
  assistant_text: string | null
  detail: {
    [k: string]: unknown
  } | null
}
/**
 * A page of a list.
 */
export interface TurnList {
  object: 'list'
  data: Turn[]
  first_id: string | null
  last_id: string | null
  has_more: boolean
}
