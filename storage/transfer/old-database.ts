import Database from 'better-sqlite3'
import type { OldValue } from './instant.ts'

type Row = Record<string, OldValue>

export interface OldConversation {
  id: string | null
  sessionId: string | null
  userId: string | null
  /** The user of its session, where the conversation itself names none. */
  sessionUserId: string | null
  title: string | null
  model: string | null
  metadata: string | null
  createdAt: OldValue
  deletedAt: OldValue
}

export interface OldMessage {
  id: string
  role: string
  status: string | null
  content: string | null
  contentJson: string | null
  toolCalls: string | null
  functionCall: string | null
  toolCallId: string | null
  finishReason: string | null
  createdAt: OldValue
}

export interface OldDatabase {
  conversations: number
  messages: number
  /** Tables with rows, and columns, that are not read. */
  unread: string[]
  /** Each conversation with its messages in the order of `seq`. */
  read(): Iterable<{ conversation: OldConversation; messages: OldMessage[] }>
  /** Ids of messages whose conversation does not exist. */
  orphans(): string[]
  close(): void
}

const COLUMNS: Record<string, { required: string[]; optional: string[] }> = {
  conversations: {
    required: ['id'],
    optional: ['session_id', 'user_id', 'title', 'model', 'metadata', 'created_at', 'deleted_at']
  },
  messages: {
    required: ['conversation_id', 'role', 'content', 'seq'],
    optional: [
      'id',
      'status',
      'content_json',
      'tool_calls',
      'function_call',
      'tool_call_id',
      'finish_reason',
      'created_at'
    ]
  },
  sessions: { required: ['id'], optional: ['user_id'] }
}

/** Why a file cannot be taken over. */
export class OldDatabaseError extends Error {
  override name = 'OldDatabaseError'
}

/** Opens a database of the older design for reading alone. Throws `OldDatabaseError`. */
export function openOldDatabase(file: string): OldDatabase {
  const db = open(file)
  const tables = tablesOf(db)
  for (const name of ['conversations', 'messages']) {
    const missing = COLUMNS[name]?.required.filter((column) => !tables.get(name)?.includes(column)) ?? []
    if (missing.length === 0) continue
    db.close()
    const what = tables.has(name) ? `column ${name}.${missing.join(`, ${name}.`)}` : `table ${name}`
    throw new OldDatabaseError(`not a database of the older design: it has no ${what}`)
  }
  db.exec('BEGIN') // everything is read from one moment, whoever else writes

  const column = (table: string, name: string, alias: string) =>
    tables.get(table)?.includes(name) ? `${alias}.${name}` : `null as ${name}`
  const select = (table: string, alias: string) =>
    [...(COLUMNS[table]?.required ?? []), ...(COLUMNS[table]?.optional ?? [])]
      .map((name) => column(table, name, alias))
      .join(', ')
  const hasSessions = ['id', 'user_id'].every((name) => tables.get('sessions')?.includes(name))
  const hasOwner = hasSessions && tables.get('conversations')?.includes('session_id')
  const owner = hasOwner ? '(select s.user_id from sessions s where s.id = c.session_id)' : 'null'
  const allConversations = db.prepare<[], Row>(
    `select ${select('conversations', 'c')}, ${owner} as session_user_id from conversations c order by c.id`
  )
  const messageId = tables.get('messages')?.includes('id') ? 'm.id' : 'null'
  const messagesOf = db.prepare<[OldValue], Row>(
    `select ${select('messages', 'm')} from messages m where m.conversation_id = ?
     order by m.seq is null, m.seq, ${messageId}`
  )
  const orphans = db.prepare<[], { id: OldValue }>(
    `select ${messageId} as id from messages m
     where not exists (select 1 from conversations c where c.id = m.conversation_id) order by 1`
  )
  const count = (table: string): number =>
    Number(
      db
        .prepare<[], bigint>(`select count(*) from "${table.replaceAll('"', '""')}"`)
        .pluck()
        .get()
    )

  return {
    conversations: count('conversations'),
    messages: count('messages'),
    unread: [...tables].flatMap(([table, columns]) => {
      const known = COLUMNS[table]
      if (!known) return count(table) > 0 ? [`table ${table}`] : []
      const read = [...known.required, ...known.optional]
      return columns.filter((name) => !read.includes(name)).map((name) => `${table}.${name}`)
    }),
    *read() {
      for (const row of allConversations.iterate()) {
        yield { conversation: toConversation(row), messages: messagesOf.all(row.id ?? null).map(toMessage) }
      }
    },
    orphans: () => orphans.all().map(({ id }, index) => text(id) ?? `without id, ${index + 1}`),
    close: () => void db.close()
  }
}

function open(file: string): Database.Database {
  try {
    const db = new Database(file, { readonly: true, fileMustExist: true })
    db.defaultSafeIntegers(true) // an id may need all 64 bits
    db.pragma('schema_version') // the first look into the file
    return db
  } catch (err) {
    const code = (err as { code?: unknown }).code
    throw new OldDatabaseError(`cannot be read as an SQLite file (${code ?? 'no such file'})`)
  }
}

/** The tables and their columns. */
function tablesOf(db: Database.Database): Map<string, string[]> {
  const rows = db
    .prepare<[], { tbl: string; col: string }>(
      `select t.name as tbl, c.name as col from sqlite_master t, pragma_table_info(t.name) c
       where t.type = 'table' and t.name not like 'sqlite\\_%' escape '\\' order by t.name, c.cid`
    )
    .all()
  const tables = new Map<string, string[]>()
  for (const { tbl, col } of rows) tables.set(tbl, [...(tables.get(tbl) ?? []), col])
  return tables
}

function toConversation(row: Row): OldConversation {
  return {
    id: text(row.id),
    sessionId: text(row.session_id),
    userId: text(row.user_id),
    sessionUserId: text(row.session_user_id),
    title: text(row.title),
    model: text(row.model),
    metadata: text(row.metadata),
    createdAt: row.created_at ?? null,
    deletedAt: row.deleted_at ?? null
  }
}

function toMessage(row: Row, index: number): OldMessage {
  return {
    id: text(row.id) ?? `${index + 1} of conversation ${text(row.conversation_id)}`,
    role: text(row.role) ?? '',
    status: text(row.status),
    content: text(row.content),
    contentJson: text(row.content_json),
    toolCalls: text(row.tool_calls),
    functionCall: text(row.function_call),
    toolCallId: text(row.tool_call_id),
    finishReason: text(row.finish_reason),
    createdAt: row.created_at ?? null
  }
}

function text(value: OldValue | undefined): string | null {
  if (value === null || value === undefined) return null
  return Buffer.isBuffer(value) ? value.toString('utf8') : String(value)
}
