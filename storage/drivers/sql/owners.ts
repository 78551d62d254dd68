import type { OwnerBeat } from '../../contract.ts'
import type { SqlDialect } from './dialect.ts'
import { INDEXED_COLUMNS, indexTurn } from './search.ts'
import type { Db } from './tables.ts'

export async function advanceBeat(db: Db, owner: string): Promise<void> {
  await db
    .insertInto('owners')
    .values({ owner, beat: 1 })
    .onConflict((c) => c.column('owner').doUpdateSet((eb) => ({ beat: eb('owners.beat', '+', 1) })))
    .execute()
}

export async function listBeats(db: Db): Promise<OwnerBeat[]> {
  const beats = await db.selectFrom('owners').selectAll().execute()
  const running = await db
    .selectFrom('turns')
    .select('owner')
    .distinct()
    .where('owner', 'is not', null)
    .execute()
  const known = new Set(beats.map(({ owner }) => owner))
  const silent = running.flatMap(({ owner }) =>
    owner === null || known.has(owner) ? [] : { owner, beat: 0 }
  )
  return [...beats, ...silent]
}

export async function recoverTurns(db: Db, dialect: SqlDialect, owner: string): Promise<number> {
  const ended = await db
    .updateTable('turns')
    .set({ status: 'incomplete', error: 'server_lost', owner: null })
    .where('owner', '=', owner)
    .returning(INDEXED_COLUMNS)
    .execute()
  for (const row of ended) await indexTurn(db, dialect, row)
  await db.deleteFrom('owners').where('owner', '=', owner).execute()
  return ended.length
}
