import Database from 'better-sqlite3'
import { newId } from '../../../storage/ids.ts'
import { openStore } from '../../../storage/open-store.ts'
import {
  conversationValues,
  endingValues,
  insertConversation,
  insertTurn,
  turnValues,
  updateTurn
} from './bare-statements.ts'
import { IN_FLIGHT, type Subject } from './subject.ts'

type Write = { run(): void; done(): void }

/** better-sqlite3 with two prepared statements; `grouped`: what waits is committed together, once per loop turn. */
export async function openBareSqlite(url: string, grouped: boolean): Promise<Subject> {
  const store = await openStore(url, { report() {} })
  await store.initialize() // for the schema
  await store.close()
  const db = new Database(url.slice('sqlite:'.length))
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.pragma('foreign_keys = ON')
  const mark = () => '?'
  const insert = db.prepare(insertTurn(mark))
  const update = db.prepare(updateTurn(mark))
  const conversation = db.prepare(insertConversation(mark))
  const slots = Array.from({ length: IN_FLIGHT }, () => ({ id: newId('conv'), seq: 0 }))
  for (const { id } of slots) conversation.run(...conversationValues(id))
  let waiting: Write[] = []
  const commit = db.transaction((writes: Write[]) => {
    for (const { run } of writes) run()
  })

  function flush(): void {
    const writes = waiting
    waiting = []
    commit.immediate(writes)
    for (const { done } of writes) done()
  }

  function write(run: () => void): Promise<void> {
    if (!grouped) return Promise.resolve(run())
    if (waiting.length === 0) setImmediate(flush)
    return new Promise((done) => void waiting.push({ run, done }))
  }

  return {
    async turn(at) {
      const slot = slots[at % IN_FLIGHT] ?? { id: '', seq: 0 }
      const seq = ++slot.seq
      await write(() => insert.run(...turnValues(slot.id, seq)))
      // Without it a slot would do its turns one after the other before anybody else.
      if (!grouped) await new Promise((resolve) => setImmediate(resolve))
      await write(() => update.run(...endingValues(slot.id, seq)))
    },
    close: async () => void db.close()
  }
}
