import type { BigIntStats } from 'node:fs'
import { lstat, mkdir, readdir, rename, unlink } from 'node:fs/promises'
import path from 'node:path'
import { isId } from '../../ids.ts'
import { StoreError } from '../../store-error.ts'
import { isMissing, readPlainFile, removeFile, replaceFile } from './atomic-file.ts'
import { type ConversationDocument, parseDocument, type Summary, UnreadableError } from './document.ts'
import { formatDocument } from './document-text.ts'
import { marksIn, type RememberedMark } from './marks.ts'

/** What is remembered of every conversation, so that lists need not read the files. */
export interface Entry {
  id: string
  /** Changes when the file does. */
  stamp: string
  summary: Summary
  /** Owners of running turns. */
  owners: string[]
  /** Turns by which a later request may find the conversation. */
  marked: RememberedMark[]
}

/** How many whole conversations are remembered. */
const MAX_DOCUMENTS = 64
const SUFFIX = '.json'
/** What `replaceFile` leaves when the process dies in it. Other people's files may end in `.tmp` too. */
const LEFTOVER = /^((conv_[0-9a-f]{32}|\.owners)\.json|\.secret)\.\d+-\d+\.tmp$/

export type Folder = ReturnType<typeof createFolder>

/**
 * The files of a folder, read when they have changed. `report` hears of files that cannot be read; they are
 * renamed, not wiped.
 */
export function createFolder(folder: string, report: (message: string) => void) {
  const entries = new Map<string, Entry>()
  const documents = new Map<string, ConversationDocument>() // the least recently used first
  const fileOf = (id: string): string => path.join(folder, id + SUFFIX)

  function remember(id: string, stamp: string, document: ConversationDocument): void {
    const { turns, media: _, ...summary } = document
    const owners = turns.flatMap((turn) => turn.owner ?? [])
    entries.set(id, { id, stamp, summary, owners, marked: marksIn(id, turns) })
    keep(id, document)
  }

  function keep(id: string, document: ConversationDocument): void {
    documents.delete(id)
    documents.set(id, document)
    const [oldest] = documents.keys()
    if (documents.size > MAX_DOCUMENTS && oldest !== undefined) documents.delete(oldest)
  }

  function forget(id: string): void {
    entries.delete(id)
    documents.delete(id)
  }

  async function stampOf(id: string): Promise<string | null> {
    try {
      const stats = await lstat(fileOf(id), { bigint: true })
      return stats.isFile() ? stampFrom(stats) : null
    } catch (err) {
      if (isMissing(err)) return null
      throw err
    }
  }

  async function setAside(id: string, reason: string): Promise<void> {
    const name = `${id}${SUFFIX}.unreadable-${Date.now()}`
    try {
      await rename(fileOf(id), path.join(folder, name))
    } catch (err) {
      if (isMissing(err)) return // another reader was faster, and has reported it
      throw err
    }
    report(`${id}${SUFFIX} cannot be read and was set aside as ${name}: ${reason}`)
  }

  /** The conversation's document as the file has it now, or null when there is none. */
  async function load(id: string): Promise<ConversationDocument | null> {
    const stamp = isId('conv', id) ? await stampOf(id) : null
    if (stamp === null) {
      forget(id)
      return null
    }
    const known = documents.get(id)
    if (known && entries.get(id)?.stamp === stamp) {
      keep(id, known)
      return known
    }
    let document: ConversationDocument
    try {
      document = parseDocument(await readPlainFile(fileOf(id)))
    } catch (err) {
      forget(id)
      if (err instanceof UnreadableError) await setAside(id, err.message)
      else if (!isMissing(err)) throw err // missing: it was deleted since it was looked at
      return null
    }
    remember(id, stamp, document)
    return document
  }

  return {
    load,

    /** Rejects when the folder cannot be read. */
    async check(): Promise<void> {
      await readdir(folder)
    },

    async create(): Promise<void> {
      await mkdir(folder, { recursive: true, mode: 0o700 })
    },

    /** Removes what a crash left half-written. Only for the folder's one writer, before it writes. */
    async clear(): Promise<void> {
      for (const name of await readdir(folder)) {
        if (LEFTOVER.test(name)) await unlink(path.join(folder, name))
      }
    },

    /** Entries of all conversations. Reads only files that are new or have changed. */
    async scan(): Promise<Entry[]> {
      const names = await readdir(folder)
      const ids = names.filter((name) => name.endsWith(SUFFIX)).map((name) => name.slice(0, -SUFFIX.length))
      const present = new Set(ids.filter((id) => isId('conv', id)))
      for (const id of entries.keys()) if (!present.has(id)) forget(id)
      for (const id of present) {
        const known = entries.get(id)
        if (!known || known.stamp !== (await stampOf(id))) await load(id)
      }
      return [...entries.values()]
    },

    async save(id: string, document: ConversationDocument): Promise<void> {
      if (!isId('conv', id)) throw new StoreError('STORE_CORRUPT', 'not a conversation id')
      const stats = await replaceFile(fileOf(id), formatDocument(document))
      // Not as the file is now: an editor may have been faster, and what it wrote has not been read.
      remember(id, stampFrom(stats), document)
    },

    async remove(id: string): Promise<void> {
      forget(id)
      await removeFile(fileOf(id))
    }
  }
}

function stampFrom({ mtimeNs, size, ino }: BigIntStats): string {
  return `${mtimeNs}:${size}:${ino}`
}
