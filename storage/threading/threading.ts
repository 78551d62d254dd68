import type { JsonObject, Store, TurnKind } from '../contract.ts'
import { textOf } from '../json-value.ts'
import { dialogueOf, type Said } from './canonical.ts'
import { isBusyBeside } from './evidence.ts'
import { findPrecedent } from './find-precedent.ts'
import { createMarkers, digestsOf, type Marker, type RequestMarks, requestMarks } from './marks.ts'
import { withReadBudget } from './read-budget.ts'
import { BEGINNING, type Precedent, type Sought } from './search.ts'
import { isTaskPrompt } from './task-prompts.ts'

/** How a request came to its conversation. */
export type Match = 'explicit' | 'external' | 'exact' | 'anchor' | 'new' | 'skipped'

export interface ThreadRequest {
  kind: Exclude<TurnKind, 'items'>
  sessionId: string
  /** Whom the client names as the one who asks. */
  endUser: string | null
  /** The messages, or the items, of the request. */
  entries: JsonObject[]
  /** Whether the client says that it is to be stored, and so what no UI asks in the background. */
  isKept: boolean
}

/** What a client calls its conversation. */
export interface ExternalName {
  /** Whose name it is: those of two sources have nothing in common. */
  source: string
  value: string
  /** Whether it names one chat, or all that somebody does at a time. */
  isChat: boolean
}

/** Where the turn of a request belongs. */
export interface Placement {
  match: Exclude<Match, 'explicit'>
  /** Null: in a conversation that is made for it. */
  conversationId: string | null
  parentSeq: number | null
  expectedLastSeq: number | null
  /** How many of the request's entries the conversation has already; null = all up to the last answer. */
  known: number | null
  /** The conversation that it may as well have gone on from. */
  forkedFrom: string | null
  /** What the conversation is made under. */
  externalKey: string | null
  marks: RequestMarks
}

export interface Threading {
  /**
   * Finds the conversation that a request goes on with, which is none of `without`. Changes nothing. Rejects with
   * `StoreError`.
   */
  place(
    request: ThreadRequest,
    external: ExternalName | null,
    without?: ReadonlySet<string>
  ): Promise<Placement>
  /** A new conversation for a request that none can be found for. */
  apart(request: ThreadRequest): Placement
  /** What the turn of a request is found by, wherever it belongs. */
  marksOf(request: ThreadRequest): RequestMarks
}

const NEW = {
  match: 'new',
  conversationId: null,
  parentSeq: null,
  expectedLastSeq: null,
  known: 0,
  forkedFrom: null,
  externalKey: null
} as const

/** Tells from what a request sends which stored conversation it goes on with. `secret` is the store's own. */
export function createThreading(wholeStore: Store, secret: string): Threading {
  const markerOf = createMarkers(secret)
  const marked = (request: ThreadRequest) => markedBy(markerOf(request.sessionId, request.endUser), request)

  return {
    marksOf: (request) => marked(request).marks,

    apart: (request) => ({ ...NEW, marks: marked(request).marks }),

    async place(request, external, without = new Set()) {
      const store = withReadBudget(wholeStore)
      const { marks, ...asked } = marked(request)
      const sought = { ...asked, without, isOnePersons: request.endUser !== null }
      const placement = { ...NEW, marks }
      if (!request.isKept && isTaskPrompt(request.entries)) return { ...placement, match: 'skipped' }
      if (external) {
        const externalKey = asked.marker.external(external.source, external.value)
        const conversationId = await store.findExternal(request.sessionId, externalKey)
        if (conversationId === null) return { ...placement, match: 'external', externalKey }
        if (!without.has(conversationId)) {
          const place = external.isChat ? await within(store, conversationId, sought, marks) : AT_THE_END
          return { ...placement, ...place, match: 'external', conversationId }
        }
      }
      return { ...placement, ...(await inferred(store, sought, marks)) }
    }
  }
}

const AT_THE_END = { parentSeq: null, known: null }

/** Where in a conversation that is known the request belongs. */
async function within(store: Store, conversationId: string, sought: Sought, marks: RequestMarks) {
  const finding = await findPrecedent(store, { ...sought, conversationId })
  if (finding && 'precedent' in finding) return after(finding.precedent, sought)
  const there = { tips: [], asked: [marks.asked], answer: null, conversationId }
  const [again] = (await store.findMarks(sought.sessionId, there)).toSorted((a, b) => b.seq - a.seq)
  return again ? { ...AT_THE_END, parentSeq: again.parentSeq } : AT_THE_END
}

async function inferred(store: Store, sought: Sought, marks: RequestMarks): Promise<Partial<Placement>> {
  const finding = await findPrecedent(store, sought)
  if (!finding) return (await continued(store, sought)) ?? {}
  if ('either' in finding) return { forkedFrom: finding.either.conversationId }
  const { precedent } = finding
  const { turn, lastSeq, match } = precedent
  const { conversationId } = turn
  // Several agents go on from one point at a time: none of them is another's correction.
  if (await isBusyBeside(store, sought.sessionId, precedent, marks.asked))
    return { forkedFrom: conversationId }
  const placed = { match, conversationId, ...after(precedent, sought) }
  // The newest is what a turn follows by itself; behind one that runs, nothing can be expected not to.
  const isNewest = placed.parentSeq === lastSeq && turn.status !== 'in_progress'
  return isNewest ? { ...placed, parentSeq: null, expectedLastSeq: lastSeq } : placed
}

function after({ parentSeq, place }: Precedent, { dialogue }: Sought) {
  return { parentSeq, known: place === BEGINNING ? 0 : (dialogue[place]?.end ?? null) }
}

/** Where the first answer of a chat is to be gone on with: in place of the turn that it broke off in. */
async function continued(store: Store, sought: Sought): Promise<Partial<Placement> | null> {
  const { dialogue } = sought
  const end = dialogue.length - 1
  if (dialogue[end]?.by !== 'assistant' || sought.answers.length > 0) return null
  const finding = await findPrecedent(store, { ...sought, answers: [end] })
  if (!finding || !('precedent' in finding) || finding.precedent.match !== 'exact') return null
  const { conversationId, parentSeq } = finding.precedent.turn
  return { match: 'exact', conversationId, parentSeq, known: 0 }
}

function markedBy(marker: Marker, { kind, sessionId, entries }: ThreadRequest) {
  const dialogue = dialogueOf(entries)
  const digests = digestsOf(dialogue)
  const marks = requestMarks(marker, kind, digests, beginningIn(entries, dialogue))
  return { sessionId, dialogue, digests, marker, marks, answers: answersIn(dialogue) }
}

/** What of the answer a request brings itself, for it to be gone on with. */
function beginningIn(entries: JsonObject[], dialogue: Said[]): string | null {
  const isBegun = dialogue.length > 1 && dialogue.at(-1)?.by === 'assistant'
  return isBegun ? textOf(entries.findLast(({ role }) => role === 'assistant')?.content, '') : null
}

/** The places of the answers in a dialogue. One at its end is the beginning of the answer that is asked for. */
function answersIn(dialogue: Said[]): number[] {
  return dialogue.flatMap(({ by }, place) =>
    by === 'assistant' && place < dialogue.length - 1 ? [place] : []
  )
}
