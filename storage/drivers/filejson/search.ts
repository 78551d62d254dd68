import { searchWords } from '../../search-words.ts'
import type { ConversationDocument, TurnDocument } from './document.ts'

/** The words of turns that were searched before. A turn that changes is another object. */
const known = new WeakMap<TurnDocument, Set<string>>()

/** Whether all of `words` are in the title, or in one ended turn that counts. */
export function hasWords({ title, turns }: ConversationDocument, words: string[]): boolean {
  return (
    hasAll(new Set(searchWords(title ?? '')), words) ||
    turns.some((turn) => !turn.superseded && turn.status !== 'in_progress' && hasAll(wordsOf(turn), words))
  )
}

function hasAll(set: ReadonlySet<string>, words: string[]): boolean {
  return words.every((word) => set.has(word))
}

function wordsOf(turn: TurnDocument): Set<string> {
  const words =
    known.get(turn) ?? new Set(searchWords(`${turn.user_text ?? ''}\n${turn.assistant_text ?? ''}`))
  known.set(turn, words)
  return words
}
