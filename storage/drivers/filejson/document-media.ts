import type { JsonObject } from '../../contract.ts'
import { intern, type Media, mediaIn } from '../media.ts'
import type { ConversationDocument, TurnDocument } from './document.ts'

export function mediaOf(document: ConversationDocument): Media {
  return new Map(Object.entries(document.media ?? {}))
}

/** The details of a document's turns, and the media in them. */
export function createMediaKeeper() {
  const media: Media = new Map()

  return {
    /** `detail` as it is kept: a copy, without its media. */
    take(detail: JsonObject | null): JsonObject | null {
      const interned = intern(detail)
      for (const [hash, data] of interned.media) media.set(hash, data)
      return interned.json === null ? null : JSON.parse(interned.json)
    },

    /** The document with `turns`, and of all media what they refer to. */
    documentWith(document: ConversationDocument, turns: TurnDocument[]): ConversationDocument {
      const { media: known, ...rest } = document
      if (media.size === 0 && !known) return { ...rest, turns }
      const all = { ...known, ...Object.fromEntries(media) }
      const used = new Set(turns.flatMap(({ detail }) => (detail ? mediaIn(JSON.stringify(detail)) : [])))
      const kept = Object.fromEntries(Object.entries(all).filter(([hash]) => used.has(hash)))
      return Object.keys(kept).length > 0 ? { ...rest, turns, media: kept } : { ...rest, turns }
    }
  }
}
