import type { ApiKey } from '../../contract.ts'
import { isKeyId } from '../../ids.ts'
import { storableText } from '../../storable-text.ts'
import { StoreError } from '../../store-error.ts'
import type { Db, Tables } from './tables.ts'

export async function addKey(db: Db, key: ApiKey): Promise<void> {
  if (!isKeyId(key.id)) throw new StoreError('STORE_CORRUPT', 'not the id of a key')
  const { id, ...rest } = fromKey(key)
  await db
    .insertInto('api_keys')
    .values({ id, ...rest })
    .onConflict((c) => c.column('id').doUpdateSet(rest))
    .execute()
}

export async function listKeys(db: Db): Promise<ApiKey[]> {
  const rows = await db.selectFrom('api_keys').selectAll().execute()
  // Not sorted by the database: its order of letters and digits is its own.
  return rows.map(toKey).sort((a, b) => (a.id < b.id ? -1 : 1))
}

export async function findKey(db: Db, id: string): Promise<ApiKey | null> {
  if (!isKeyId(id)) return null
  const row = await db.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst()
  return row ? toKey(row) : null
}

export async function removeKey(db: Db, id: string): Promise<boolean> {
  if (!isKeyId(id)) return false
  const result = await db.deleteFrom('api_keys').where('id', '=', id).executeTakeFirst()
  return result.numDeletedRows > 0n
}

function fromKey(key: ApiKey): Tables['api_keys'] {
  return {
    id: key.id,
    session_id: key.sessionId,
    name: storableText(key.name),
    hash: key.hash,
    created_at: key.createdAt
  }
}

function toKey(row: Tables['api_keys']): ApiKey {
  return {
    id: row.id,
    sessionId: row.session_id,
    name: row.name,
    hash: row.hash,
    createdAt: row.created_at
  }
}
