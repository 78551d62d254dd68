import type { FoundMark, MarkedTurn, Store } from '../contract.ts'
import { turnAt } from '../dialogue/path.ts'
import { choicesOf, outputItems } from '../dialogue/turn-content.ts'
import { isObject } from '../json-value.ts'
import { storableText } from '../storable-text.ts'
import { dialogueOf, normalized, type Said } from './canonical.ts'
import { isOfCalls, type Marker } from './marks.ts'

/** An answer of this many characters stands for itself. */
const DISTINCTIVE = 200
/** Fewer than these say nothing by themselves. */
const TELLING = 40
/** A question of this many characters is not everybody's. */
export const TELLING_QUESTION = 24
/** How far back answers are compared, and how far on they are followed. */
const MAX_TURNS = 500
/** How far back a question is looked for: calls of tools come between it and the last answer to it. */
const MAX_CALLS = 20

/** What is looked at in a request: its dialogue, and the place of the answer in question. */
export interface Place {
  sessionId: string
  dialogue: Said[]
  /** The places of its answers. */
  answers: number[]
  marker: Marker
}

/** Whether answers are long enough to be looked for by themselves. */
export function isTelling(...answers: Said[]): boolean {
  return sizeOf(...answers) >= TELLING
}

/** Whether nothing else than that they are the same need be known of answers; `isOnly`: no other conversation has the last. */
function isProof(answers: Said[], isOnly: boolean): boolean {
  const different = new Set(answers.map(({ words, others }) => words + others))
  if (different.size > 1) return isTelling(...answers)
  return isOnly && sizeOf(...answers) >= DISTINCTIVE
}

/**
 * Of turns that gave the answer at `place`, those whose conversation agrees: each earlier answer that the request still
 * has must be the one before, until either side has no more. Of these the ones that agree in most.
 */
export async function agreeing(
  store: Store,
  found: FoundMark[],
  place: number,
  at: Place
): Promise<FoundMark[]> {
  const agreed: { turn: FoundMark; count: number }[] = []
  // Some answers are given to many: a refusal, for one.
  const isOnly = new Set(found.map(({ conversationId }) => conversationId)).size === 1
  for (const turn of found) {
    const count = await agreement(store, turn, place, at, isOnly)
    if (count > 0) agreed.push({ turn, count })
  }
  const most = Math.max(0, ...agreed.map(({ count }) => count))
  return agreed.filter(({ count }) => count === most).map(({ turn }) => turn)
}

/** In how many answers the way to `turn` agrees with the request; 0 where that is no evidence. */
async function agreement(
  store: Store,
  turn: FoundMark,
  place: number,
  at: Place,
  isOnly: boolean
): Promise<number> {
  const said = at.dialogue[place] as Said
  const before = at.answers.filter((index) => index < place).map((index) => at.dialogue[index] as Said)
  const marks = before.length > 0 ? await answersBefore(store, at.sessionId, turn) : []
  const same = [said]
  let from = 0
  for (const earlier of before.reverse()) {
    if (from === marks.length) break
    const mark = at.marker.answer(earlier)
    // Some clients leave out what calls tools.
    const index = marks.findIndex((one, place) => place >= from && (one === mark || !isOfCalls(one)))
    if (marks[index] === mark) {
      same.push(earlier)
      from = index + 1
      continue
    }
    // What stands in the place of the oldest ones may be a summary of them.
    if (earlier !== before.at(-1) || !isProof(same, isOnly)) return 0
  }
  if (isProof(same, isOnly)) return same.length
  if (same.length <= before.length) return 0 // it begins later than what was said
  const isAlike = isOnly && isTelling(...same)
  return (await sharesQuestion(store, turn, place, at, isAlike)) ? same.length : 0
}

/** The marks of the answers on the way to a turn, from the last one on. */
async function answersBefore(store: Store, sessionId: string, turn: MarkedTurn): Promise<string[]> {
  const { conversationId, seq } = turn
  const page = { limit: MAX_TURNS, order: 'desc', beforeSeq: seq } as const
  const earlier = await store.listMarks(sessionId, conversationId, page)
  const marks: string[] = []
  let parentSeq = turn.parentSeq
  for (const one of earlier) {
    if (one.seq > parentSeq) continue
    parentSeq = one.parentSeq
    if (one.marks.answer !== null) marks.push(one.marks.answer)
  }
  return marks
}

/**
 * Whether the turn answers what the request has before that answer; either question may have something around it. A short
 * one counts where `isAlike` says that the answer is, and where they are the same.
 */
async function sharesQuestion(
  store: Store,
  turn: FoundMark,
  place: number,
  at: Place,
  isAlike: boolean
): Promise<boolean> {
  const question = at.dialogue.slice(0, place).findLast(({ by }) => by === 'user')?.words ?? ''
  const given = storableText(question)
  const asked = await questionOf(store, turn, at.sessionId)
  const [shorter, longer] = given.length < asked.length ? [given, asked] : [asked, given]
  if (shorter.length >= TELLING_QUESTION) return longer.includes(shorter)
  return isAlike && shorter !== '' && longer === shorter
}

/** What a person asked last on the way to the turn. */
async function questionOf(
  store: Store,
  { conversationId, seq }: FoundMark,
  sessionId: string
): Promise<string> {
  let at = seq
  for (let steps = 0; at > 0 && steps < MAX_CALLS; steps += 1) {
    const turn = await turnAt(store, sessionId, conversationId, at)
    const asked = normalized(turn?.userText ?? '')
    if (asked !== '' || !turn) return asked
    at = turn.parentSeq
  }
  return ''
}

/**
 * Those of `found` whose answer begins with what the request has of it: whoever stops an answer keeps its beginning. One
 * that broke off may have got a remark behind it.
 */
export async function begunWith(
  store: Store,
  found: FoundMark[],
  said: Said,
  at: Place
): Promise<FoundMark[]> {
  if (said.words === '') return []
  const begun: FoundMark[] = []
  for (const turn of found) {
    const stored = await turnAt(store, at.sessionId, turn.conversationId, turn.seq)
    if (!stored) continue
    const answers =
      stored.kind === 'chat'
        ? choicesOf(stored).map(({ message }) => dialogueOf([message]))
        : [dialogueOf(outputItems(stored).filter(isObject))]
    const given = storableText(said.words)
    const isWhole = ({ words }: Said): boolean =>
      turn.status === 'incomplete' && words !== '' && given.startsWith(words)
    const isBegun = (answer: Said): boolean =>
      answer.others.startsWith(said.others) && (answer.words.startsWith(given) || isWhole(answer))
    if (answers.some(([answer]) => answer && isBegun(answer))) begun.push(turn)
  }
  return begun
}

/** From the answer at `place`, which `turn` gave, how far the conversation and the request go on with the same answers. */
export async function followed(
  store: Store,
  turn: MarkedTurn,
  place: number,
  at: Place
): Promise<{ turn: MarkedTurn; place: number }> {
  const page = { limit: MAX_TURNS, order: 'asc', afterSeq: turn.seq } as const
  const later = await store.listMarks(at.sessionId, turn.conversationId, page)
  let reached: { turn: MarkedTurn; place: number } = { turn, place }
  for (const index of at.answers.filter((one) => one > place)) {
    const mark = at.marker.answer(at.dialogue[index] as Said)
    const next = later.findLast(
      ({ parentSeq, marks }) => parentSeq === reached.turn.seq && marks.answer === mark
    )
    if (!next) break
    reached = { turn: next, place: index }
  }
  return reached
}

/** Whether somebody is being answered who went on from the turn with something else than what is asked. */
export async function isBusyBeside(
  store: Store,
  sessionId: string,
  { turn, lastSeq }: { turn: MarkedTurn; lastSeq: number },
  asked: string
): Promise<boolean> {
  if (turn.seq === lastSeq) return false
  const page = { limit: MAX_TURNS, order: 'desc', afterSeq: turn.seq } as const
  const later = await store.listMarks(sessionId, turn.conversationId, page)
  return later.some(
    ({ parentSeq, status, marks }) =>
      parentSeq === turn.seq && status === 'in_progress' && marks.asked !== asked
  )
}

function sizeOf(...answers: Said[]): number {
  return answers.reduce((sum, { words, others }) => sum + words.length + others.length, 0)
}
