import { type BigIntStats, constants } from 'node:fs'
import { open, readFile, rename, unlink } from 'node:fs/promises'
import path from 'node:path'
import { StoreError } from '../../store-error.ts'

const PLAIN = constants.O_RDONLY | constants.O_NOFOLLOW

let count = 0

/**
 * Replaces `file` whole or not at all, and on the disk when it resolves: a temporary file beside it is written
 * and flushed, renamed over it, and the folder flushed, because a rename alone can be lost with the power. Resolves
 * to what is known of the file as it was written, whatever has become of it since.
 */
export async function replaceFile(file: string, pieces: Buffer[]): Promise<BigIntStats> {
  count += 1
  const temporary = `${file}.${process.pid}-${count}.tmp`
  const old = await open(file, PLAIN | constants.O_NONBLOCK).catch(() => null) // it may be new
  try {
    const stats = await writeFlushed(temporary, pieces)
    await rename(temporary, file)
    await syncFolder(path.dirname(file))
    return stats
  } catch (err) {
    await unlink(temporary).catch(() => {}) // it may not be there, or no longer; the first error counts
    throw err
  } finally {
    // A large file takes long to free. While it is open the rename need not do that, and nobody waits for the close.
    old?.close().catch(() => {})
  }
}

async function writeFlushed(file: string, pieces: Buffer[]): Promise<BigIntStats> {
  const handle = await open(file, 'wx', 0o600)
  try {
    const { bytesWritten } = await handle.writev(pieces)
    const size = pieces.reduce((sum, { length }) => sum + length, 0)
    if (bytesWritten < size) throw new Error('written in part')
    const stats = await handle.stat({ bigint: true })
    await handle.sync()
    return stats
  } finally {
    await handle.close()
  }
}

/** Deletes `file`, on the disk when it resolves. */
export async function removeFile(file: string): Promise<void> {
  await unlink(file)
  await syncFolder(path.dirname(file))
}

/** Reads `file`, but not through a symbolic link that somebody put in its place. */
export async function readPlainFile(file: string): Promise<Buffer> {
  return await readFile(file, { flag: PLAIN })
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
