import Database from 'better-sqlite3'

/** A draft grows by so many characters, or after so long, before it is written again. */
export const APPEND_CHARACTERS = 100
export const APPEND_MS = 1_000

/** The older design's two rows a turn, the answer's a draft that is appended to; each statement is a transaction. */
export function olderRows(file: string, synchronous?: 'FULL') {
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  if (synchronous) db.pragma(`synchronous = ${synchronous}`)
  db.exec(`create table conversations (id integer primary key, title text, updated_at integer);
    create table messages (
      id integer primary key, conversation_id integer not null references conversations (id),
      role text not null, content text not null, status text not null, created_at integer not null);
    create index messages_conversation on messages (conversation_id, id)`)
  const startConversation = db.prepare('insert into conversations (title, updated_at) values (?, ?)')
  const insert = db.prepare(
    'insert into messages (conversation_id, role, content, status, created_at) values (?, ?, ?, ?, ?)'
  )
  const append = db.prepare('update messages set content = content || ? where id = ?')
  const finish = db.prepare('update messages set content = content || ?, status = ? where id = ?')

  return {
    conversation: (title: string) => startConversation.run(title, Date.now()).lastInsertRowid,
    /** The question, and the draft of its answer. Returns the draft's id. */
    begin(conversation: number | bigint, question: string): number | bigint {
      insert.run(conversation, 'user', question, 'complete', Date.now())
      return insert.run(conversation, 'assistant', '', 'draft', Date.now()).lastInsertRowid
    },
    append: (id: number | bigint, text: string) => void append.run(text, id),
    finish: (id: number | bigint, rest: string) => void finish.run(rest, 'complete', id),
    close: () => void db.close()
  }
}
