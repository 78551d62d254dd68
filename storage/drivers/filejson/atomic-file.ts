import { constants } from 'node:fs'
import { open, readFile, rename, unlink } from 'node:fs/promises'
import path from 'node:path'
import { StoreError } from '../../store-error.ts'

let count = 0

/**
 * Replaces `file` whole or not at all, and on the disk when it resolves: a temporary file beside it is written
 * and flushed, renamed over it, and the folder flushed, because a rename alone can be lost with the power.
 */
export async function replaceFile(file: string, content: string): Promise<void> {
  count += 1
  const temporary = `${file}.${process.pid}-${count}.tmp`
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(content, 'utf8')
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, file)
  } catch (err) {
    await unlink(temporary).catch(() => {}) // it may not have come to be; the first error counts
    throw err
  }
  await syncFolder(path.dirname(file))
}

/** Deletes `file`, on the disk when it resolves. */
export async function removeFile(file: string): Promise<void> {
  await unlink(file)
  await syncFolder(path.dirname(file))
}

/** Reads `file`, but not through a symbolic link that somebody put in its place. */
export async function readPlainFile(file: string): Promise<Buffer> {
  return await readFile(file, { flag: constants.O_RDONLY | constants.O_NOFOLLOW })
}

export function isMissing(err: unknown): boolean {
  return (err as NodeJS.ErrnoException).code === 'ENOENT'
}

/** Makes a change of names in `folder` last. Rejects with `STORE_UNCERTAIN`: the change itself has happened. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new StoreError('STORE_UNCERTAIN', `cannot flush the folder (${code})`, cause)
  }
}
