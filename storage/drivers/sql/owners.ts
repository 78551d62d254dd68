import type { Db } from './tables.ts'

export async function advanceBeat(db: Db, owner: string): Promise<void> {
  await db
    .insertInto('owners')
    .values({ owner, beat: 1 })
    .onConflict((c) => c.column('owner').doUpdateSet((eb) => ({ beat: eb('owners.beat', '+', 1) })))
    .execute()
}

export async function recoverTurns(db: Db, owner: string): Promise<number> {
  const result = await db
    .updateTable('turns')
    .set({ status: 'incomplete', error: 'server_lost', owner: null })
    .where('owner', '=', owner)
    .executeTakeFirst()
  await db.deleteFrom('owners').where('owner', '=', owner).execute()
  return Number(result.numUpdatedRows)
}
