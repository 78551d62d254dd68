import { mkdir, readdir } from 'node:fs/promises'
import path from 'node:path'
import { Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { ApiKey, ApiKeys } from '../../contract.ts'
import { isKeyId } from '../../ids.ts'
import { storableText } from '../../storable-text.ts'
import { StoreError } from '../../store-error.ts'
import { isMissing, readPlainFile, removeFile, replaceFile } from './atomic-file.ts'
import { parseFile, UnreadableError } from './document.ts'

const validator = Compile(
  Type.Object({
    session_id: Type.String(),
    name: Type.Union([Type.String(), Type.Null()]),
    hash: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    created_at: Type.Integer({ description: 'Unix ms' })
  })
)

const SUFFIX = '.json'
/** The file is there, and this process may not or will not read it: it is a link, a folder, or somebody else's. */
const REFUSED = new Set(['ELOOP', 'EISDIR', 'EACCES', 'EPERM'])

/**
 * One file per key in the folder `.keys`, which needs no lock: each file is written whole and read anew each time.
 * `report` hears, once, of a file that cannot be read; there is no key in it.
 */
export function createApiKeys(root: string, report: (message: string) => void): ApiKeys {
  const folder = path.join(root, '.keys')
  const fileOf = (id: string): string => path.join(folder, id + SUFFIX)
  const reported = new Set<string>()

  async function prepare(): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
  }

  async function find(id: string): Promise<ApiKey | null> {
    if (!isKeyId(id)) return null
    try {
      const key = parseKey(id, await readPlainFile(fileOf(id)))
      reported.delete(id)
      return key
    } catch (err) {
      if (isMissing(err)) return null
      const { code = '', message } = err as NodeJS.ErrnoException
      if (!(err instanceof UnreadableError) && !REFUSED.has(code)) throw err
      if (!reported.has(id)) report(`.keys/${id}${SUFFIX} cannot be read: ${code || message}`)
      reported.add(id)
      return null
    }
  }

  return {
    prepare,
    find,

    async add(key) {
      if (!isKeyId(key.id)) throw new StoreError('STORE_CORRUPT', 'not the id of a key')
      await prepare()
      await replaceFile(fileOf(key.id), [Buffer.from(formatKey(key))])
    },

    async list() {
      const names = await readdir(folder).catch((err) => {
        if (isMissing(err)) return []
        throw err
      })
      const ids = names.filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length))
      const keys: ApiKey[] = []
      for (const id of ids.sort()) {
        const key = await find(id)
        if (key) keys.push(key)
      }
      return keys
    },

    async remove(id) {
      if (!isKeyId(id)) return false
      try {
        await removeFile(fileOf(id))
        return true
      } catch (err) {
        if (isMissing(err)) return false
        throw err
      }
    }
  }
}

function formatKey({ sessionId, name, hash, createdAt }: ApiKey): string {
  const key = { session_id: sessionId, name: storableText(name), hash, created_at: createdAt }
  return `${JSON.stringify(key, null, 2)}\n`
}

/** Throws `UnreadableError`. */
function parseKey(id: string, bytes: Buffer): ApiKey {
  const value = parseFile(bytes)
  if (!validator.Check(value)) throw new UnreadableError('it is not a key')
  return {
    id,
    sessionId: value.session_id,
    name: value.name,
    hash: value.hash,
    createdAt: value.created_at
  }
}
