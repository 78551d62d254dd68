import { createHash } from 'node:crypto'
import type { Conversation, Store, Turn } from '../contract.ts'
import { StoreError } from '../store-error.ts'
import { digestConversation } from './conversation-digest.ts'
import { conversationsOf, countConversations, turnPagesOf } from './transfer-pages.ts'

interface Side {
  conversations: number
  turns: number
  /** SHA-256 over the checksums of all conversations, by id. */
  checksum: string
}

export interface Verification {
  source: Side
  /** Of the target, what the source has as well. */
  target: Side
  /** Conversations in the target that the source does not have. */
  others: number
  /** Why a conversation is not the same, by its id. */
  differing: Map<string, string>
}

/** Reads both stores and compares every conversation; `toTarget` is what a turn of the source becomes. */
export async function verifyCopy(
  from: Store,
  to: Store,
  toTarget: (turn: Turn) => Turn,
  onProgress: (done: number) => void = () => {}
): Promise<Verification> {
  const [source, target] = [createTally(), createTally()]
  const differing = new Map<string, string>()
  let done = 0
  for await (const conversation of conversationsOf(from)) {
    const { id } = conversation
    const expected = await readBack(id, 'source', () =>
      digestConversation(conversation, turnPagesOf(from, conversation), toTarget)
    )
    const copied = await readBack(id, 'target', () => digestOf(to, conversation))
    if (!('reason' in expected)) source.add(expected)
    if (!('reason' in copied)) target.add(copied)
    if ('reason' in expected) differing.set(id, expected.reason)
    else if ('reason' in copied) differing.set(id, copied.reason)
    else if (copied.turns !== expected.turns)
      differing.set(id, `has ${copied.turns} turns in the target, ${expected.turns} in the source`)
    else if (copied.digest !== expected.digest) differing.set(id, 'differs in the target')
    done += 1
    onProgress(done)
  }
  const others = (await countConversations(to)) - target.side.conversations
  return { source: source.end(), target: target.end(), others: Math.max(others, 0), differing }
}

async function digestOf(store: Store, { sessionId, id }: Conversation) {
  const conversation = await store.getConversation(sessionId, id)
  if (!conversation) return { reason: 'is missing in the target' }
  return await digestConversation(conversation, turnPagesOf(store, conversation))
}

/** What `read` gives, or why the conversation cannot be read. */
async function readBack<T>(id: string, where: string, read: () => Promise<T>) {
  try {
    return await read()
  } catch (err) {
    if (err instanceof StoreError && err.code === 'STORE_CORRUPT')
      return { reason: `cannot be read in the ${where}` }
    throw err instanceof StoreError ? new StoreError(err.code, `${id}: ${err.message}`, err) : err
  }
}

function createTally() {
  const side = { conversations: 0, turns: 0 }
  const hash = createHash('sha256')
  return {
    side,
    add({ digest, turns }: { digest: string; turns: number }) {
      side.conversations += 1
      side.turns += turns
      hash.update(digest)
    },
    end: (): Side => ({ ...side, checksum: hash.digest('hex') })
  }
}
