import { isDeepStrictEqual } from 'node:util'
import type { Conversation, Store, Turn } from '../contract.ts'
import { StoreError } from '../store-error.ts'
import { conversationsOf, countConversations, turnPagesOf } from './transfer-pages.ts'
import { type Verification, verifyCopy } from './verify.ts'

export interface Progress {
  phase: 'copying' | 'verifying' | 'importing' | 'deleting'
  /** Conversations. */
  done: number
  total: number
}

export interface CopyReport {
  /** Written to the target. */
  conversations: number
  turns: number
  /** Of these turns, those that were still running in the source. */
  ended: number
  /** API keys, written to the target. */
  keys: number
  verification: Verification
  /** Why a conversation, or a key, is not the same in the target, by its id. Empty: all is well. */
  problems: Map<string, string>
}

/**
 * Writes every API key and every conversation of `from` with its turns into `to`, over what is there under the same ids, then reads
 * both again and compares. Safe to run again after a break. Both stores are initialized; memory use does not
 * depend on how much there is. Rejects with a `StoreError` that names the conversation when a store fails.
 */
export async function copyStore(
  from: Store,
  to: Store,
  onProgress: (progress: Progress) => void = () => {}
): Promise<CopyReport> {
  const total = await countConversations(from)
  const written = { conversations: 0, turns: 0, ended: 0 }
  const problems = new Map<string, string>()

  async function copyConversation(conversation: Conversation): Promise<void> {
    const existing = await to.getConversation(conversation.sessionId, conversation.id)
    // Writing over it would set back `lastSeq`, and the next turn there could take no number.
    if (existing && existing.lastSeq > conversation.lastSeq) {
      problems.set(conversation.id, 'has more turns in the target, left as it is there')
      return
    }
    await to.importConversation(conversation)
    const seqs = new Set<number>()
    for await (const page of turnPagesOf(from, conversation)) {
      for (const { seq } of page) seqs.add(seq)
      await to.importTurns(page.map(asEnded))
      written.turns += page.length
      written.ended += page.filter((turn) => turn.status === 'in_progress').length
    }
    // Deleted in the source since an earlier run.
    for await (const page of existing ? turnPagesOf(to, conversation) : [])
      for (const turn of page)
        if (!seqs.has(turn.seq)) await to.changeTurn(conversation.sessionId, turn, () => null)
    written.conversations += 1
  }

  const keys = await from.keys.list()
  for (const key of keys) await to.keys.add(key)

  let done = 0
  for await (const conversation of conversationsOf(from)) {
    await copyConversation(conversation).catch((err) => {
      if (!(err instanceof StoreError)) throw err
      if (err.code !== 'STORE_CORRUPT') throw namedAfter(conversation.id, err)
      problems.set(conversation.id, err.message)
    })
    done += 1
    onProgress({ phase: 'copying', done, total })
  }

  const verification = await verifyCopy(from, to, asEnded, (done) =>
    onProgress({ phase: 'verifying', done, total })
  )
  for (const [id, reason] of verification.differing) if (!problems.has(id)) problems.set(id, reason)
  for (const key of keys)
    if (!isDeepStrictEqual(await to.keys.find(key.id), key)) problems.set(key.id, 'differs in the target')
  return { ...written, keys: keys.length, verification, problems }
}

/** A running turn as it is in the target: the process that runs it writes to the source and nowhere else. */
export function asEnded(turn: Turn): Turn {
  return turn.status === 'in_progress' ? { ...turn, status: 'incomplete', error: 'server_lost' } : turn
}

function namedAfter(id: string, err: StoreError): StoreError {
  return new StoreError(err.code, `${id}: ${err.message}`, err)
}
