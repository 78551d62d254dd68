import { constants } from 'node:fs'
import { open, readFile, rename, unlink } from 'node:fs/promises'
import path from 'node:path'

export const TEMPORARY = '.tmp'

let count = 0

/**
 * Replaces `file` whole or not at all, and on the disk when it resolves: a temporary file beside it is written
 * and flushed, renamed over it, and the folder flushed, because a rename alone can be lost with the power.
 */
export async function replaceFile(file: string, content: string): Promise<void> {
  count += 1
  const temporary = `${file}.${process.pid}-${count}${TEMPORARY}`
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
export async function readPlainFile(file: string): Promise<string> {
  return await readFile(file, { encoding: 'utf8', flag: constants.O_RDONLY | constants.O_NOFOLLOW })
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
