import type { Conversation, Store, Turn } from '../contract.ts'

const CONVERSATIONS_PER_PAGE = 200
/** Few enough that a page of long answers fits into memory. */
const TURNS_PER_PAGE = 50

/** Every conversation of every session by id, read in pages. */
export async function* conversationsOf(store: Store): AsyncGenerator<Conversation> {
  let after: string | null = null
  for (;;) {
    const page: Conversation[] = await store.exportConversations(after, CONVERSATIONS_PER_PAGE)
    yield* page
    if (page.length < CONVERSATIONS_PER_PAGE) return
    after = page.at(-1)?.id ?? null
  }
}

/** All turns of a conversation by seq, superseded ones included, in pages. None where it is not there. */
export async function* turnPagesOf(
  store: Store,
  { sessionId, id }: Pick<Conversation, 'sessionId' | 'id'>
): AsyncGenerator<Turn[]> {
  let afterSeq = 0
  for (;;) {
    const page = await store.listTurns(sessionId, id, {
      limit: TURNS_PER_PAGE,
      order: 'asc',
      afterSeq,
      includeSuperseded: true
    })
    const last = page?.data.at(-1)
    if (!page || !last) return
    yield page.data
    if (!page.hasMore) return
    afterSeq = last.seq
  }
}

export async function countConversations(store: Store): Promise<number> {
  let count = 0
  for await (const _ of conversationsOf(store)) count += 1
  return count
}
