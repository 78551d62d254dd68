import type { Conversation, ConversationPage, Page } from '../../contract.ts'
import { hasPairs } from '../metadata-filter.ts'
import { type ConversationDocument, toConversation } from './document.ts'
import type { Entry } from './folder.ts'
import { hasWords } from './search.ts'

/** The page of the session's conversations, all of which are given. `load` reads one where its words matter. */
export async function conversationPage(
  entries: Entry[],
  { limit, order, after, before, pinned, metadata, words = [] }: ConversationPage,
  load: (id: string) => Promise<ConversationDocument | null>
): Promise<Page<Conversation>> {
  const isBefore = (a: string, b: string): boolean => (order === 'asc' ? a < b : a > b)
  const candidates = entries
    .filter(({ summary }) => pinned === undefined || summary.pinned === pinned)
    .filter(({ summary }) => hasPairs(summary.metadata, metadata))
    .filter(({ id }) => after === undefined || isBefore(after, id))
    .filter(({ id }) => before === undefined || isBefore(id, before))
    .sort((a, b) => (isBefore(a.id, b.id) ? -1 : 1))
  const found: Entry[] = []
  for (const entry of candidates) {
    const document = words.length > 0 ? await load(entry.id) : null
    if (words.length === 0 || (document && hasWords(document, words))) found.push(entry)
  }
  const data = before === undefined ? found.slice(0, limit) : found.slice(-limit)
  return { data: data.map(({ id, summary }) => toConversation(id, summary)), hasMore: found.length > limit }
}
