import pg from 'pg'
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

const POOL = 10

/** node-postgres with two named statements, each its own transaction, over as many connections as the service has. */
export async function openBarePg(url: string): Promise<Subject> {
  const store = await openStore(url, { report() {} })
  await store.initialize() // for the schema
  await store.close()
  const pool = new pg.Pool({ connectionString: url, max: POOL })
  const mark = (n: number) => `$${n}`
  const insert = { name: 'insert_turn', text: insertTurn(mark) }
  const update = { name: 'update_turn', text: updateTurn(mark) }
  const slots = Array.from({ length: IN_FLIGHT }, () => ({ id: newId('conv'), seq: 0 }))
  for (const { id } of slots) await pool.query(insertConversation(mark), conversationValues(id))

  return {
    async turn(at) {
      const slot = slots[at % IN_FLIGHT] ?? { id: '', seq: 0 }
      const seq = ++slot.seq
      await pool.query({ ...insert, values: turnValues(slot.id, seq) })
      await pool.query({ ...update, values: endingValues(slot.id, seq) })
    },
    close: () => pool.end()
  }
}
