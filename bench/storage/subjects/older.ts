import pg from 'pg'
import { APPEND_CHARACTERS, olderRows } from '../older-rows.ts'
import { ANSWER, QUESTION, type Subject } from './subject.ts'

/** The pieces in which the older design writes an answer: the last one ends it. */
const PIECES = ANSWER.match(new RegExp(`.{1,${APPEND_CHARACTERS}}`, 'gs')) ?? []
const LAST = PIECES.at(-1) ?? ''
const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

/** The older design's twelve transactions, at FULL as the service is. */
export function openOlderSqlite(url: string): Subject {
  const rows = olderRows(url.slice('sqlite:'.length), 'FULL')
  const conversations = new Map<number, number | bigint>()
  return {
    async turn(slot) {
      const conversation = conversations.get(slot) ?? rows.conversation('bench')
      conversations.set(slot, conversation)
      const draft = rows.begin(conversation, QUESTION)
      for (const piece of PIECES.slice(0, -1)) {
        await nextTurn()
        rows.append(draft, piece)
      }
      rows.finish(draft, LAST)
    },
    close: async () => rows.close()
  }
}

const SCHEMA = `create table if not exists older_messages (
  id bigserial primary key, conversation_id integer not null,
  role text not null, content text not null, status text not null, created_at bigint not null);
  create index if not exists older_conversation on older_messages (conversation_id, id)`
const INSERT = `insert into older_messages (conversation_id, role, content, status, created_at)
  values ($1, $2, $3, $4, $5) returning id`

/** The same on Postgres, with unnamed statements as it had them. */
export async function openOlderPg(url: string): Promise<Subject> {
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  await pool.query(SCHEMA)
  return {
    async turn(slot) {
      await pool.query(INSERT, [slot, 'user', QUESTION, 'complete', Date.now()])
      const { rows } = await pool.query(INSERT, [slot, 'assistant', '', 'draft', Date.now()])
      const append = 'update older_messages set content = content || $1 where id = $2'
      for (const piece of PIECES.slice(0, -1)) await pool.query(append, [piece, rows[0].id])
      const finish = "update older_messages set content = content || $1, status = 'complete' where id = $2"
      await pool.query(finish, [LAST, rows[0].id])
    },
    close: () => pool.end()
  }
}
