/** What the seeded stores hold, so that the reads know what to ask for. */
export interface Seed {
  conversations: number
  /** Of one conversation; every other has one. */
  turns: number
}

/** What differs between the databases in the statements that seed them. */
export interface SeedDialect {
  /** The whole numbers from 1 to `count` as a table `n(i)`. */
  numbers(count: number): string
  /** `text` in 32 hexadecimal digits. */
  hex(expression: string): string
}

export const hexId = (prefix: 'conv' | 'turn', i: number): string =>
  `${prefix}_${i.toString(16).padStart(32, '0')}`

/** The conversation with the many turns is the newest. */
export const longConversation = ({ conversations }: Seed): string => hexId('conv', conversations + 1)
/** A word of twenty conversations, however many there are; and one of every hundredth. */
export const RARE = 'rare'
export const FREQUENT = 'often'

const BASE_MS = 1_764_000_000_000
const PROSE = 'what does a token cost and who pays for it when nobody looks'

/** The words in the index of each seeded row, beside its number. */
export const wordsSql = (seed: Seed): string =>
  `'topic question what does a token cost'
    || case when i % ${Math.max(1, Math.floor(seed.conversations / 20))} = 0 then ' ${RARE}' else '' end
    || case when i % 100 = 0 then ' ${FREQUENT}' else '' end`

export function conversationsSql(seed: Seed, { numbers, hex }: SeedDialect): string {
  return `insert into conversations
      (id, session_id, title, model, metadata, pinned, last_seq, created_at, active_at)
    select 'conv_' || ${hex('i')}, 'local', 'Topic ' || i, 'gpt-4o-mini', '{}', 0,
      case when i > ${seed.conversations} then ${seed.turns} else 1 end, ${BASE_MS} + i, ${BASE_MS} + i
    from ${numbers(seed.conversations + 1)}`
}

/** One turn for each conversation, and then those of the long one. */
export function turnsSql(seed: Seed, dialect: SeedDialect): string[] {
  const { conversations, turns } = seed
  const columns = `insert into turns (id, session_id, conversation_id, seq, parent_seq, superseded, kind, model,
    user_text, assistant_text, status, finish_reason, completion_id, created_at)`
  const rest = (i: string) => `0, 'chat', 'gpt-4o-mini', 'question ' || ${i} || ' ${PROSE}',
    '${PROSE} ${PROSE} ${PROSE}', 'completed', 'stop', 'chatcmpl-' || (${i}), ${BASE_MS} + ${i}`
  const { numbers, hex } = dialect
  return [
    `${columns} select 'turn_' || ${hex('i')}, 'local', 'conv_' || ${hex('i')}, 1, 0, ${rest('i')}
      from ${numbers(conversations)}`,
    `${columns} select 'turn_' || ${hex(`i + ${conversations}`)}, 'local', '${longConversation(seed)}', i, i - 1,
      ${rest(`i + ${conversations}`)} from ${numbers(turns)}`
  ]
}
