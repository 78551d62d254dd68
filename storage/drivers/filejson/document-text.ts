import { LRUCache } from 'lru-cache'
import type { ConversationDocument, TurnDocument } from './document.ts'

/** Turns that are formatted, and remembered, together. */
const BLOCK = 16
/** How much is remembered, of all conversations. */
const MAX_BYTES = 16 * 1_024 * 1_024
/** The document's own turns alone are spelt so: what lies deeper is indented more, and no string has a bare line break. */
const NO_TURNS = '\n  "turns": []'

/** Blocks that were written before, by their first turn. A turn that changes is another object. */
const known = new LRUCache<TurnDocument, { turns: TurnDocument[]; text: Buffer }>({
  maxSize: MAX_BYTES,
  sizeCalculation: ({ text }) => text.length
})

/** The text of a document's file, in pieces. Of a long conversation, all but what is new is remembered. */
export function formatDocument(document: ConversationDocument): Buffer[] {
  const text = `${JSON.stringify({ ...document, turns: [] }, null, 2)}\n`
  const [first, ...others] = blocksOf(document.turns).map(textOf)
  if (!first) return [Buffer.from(text)]
  const at = text.indexOf(NO_TURNS) + NO_TURNS.length - 1
  const [head, end] = [text.slice(0, at), `\n  ${text.slice(at)}`]
  return [Buffer.from(head), first.subarray(1), ...others, Buffer.from(end)]
}

function blocksOf(turns: TurnDocument[]): [TurnDocument, ...TurnDocument[]][] {
  return turns.flatMap((turn, at) => (at % BLOCK === 0 ? [[turn, ...turns.slice(at + 1, at + BLOCK)]] : []))
}

/** The block's turns, after the comma that separates them from those before. */
function textOf(turns: [TurnDocument, ...TurnDocument[]]): Buffer {
  const earlier = known.get(turns[0])
  if (earlier?.turns.length === turns.length && turns.every((turn, at) => turn === earlier.turns[at]))
    return earlier.text
  const [before, after] = ['[\n  [', '\n  ]\n]']
  const text = Buffer.from(`,${JSON.stringify([turns], null, 2).slice(before.length, -after.length)}`)
  known.set(turns[0], { turns, text })
  return text
}
