import type { FoundMark, MarkedTurn } from '../contract.ts'
import { agreeing, begunWith, TELLING_QUESTION } from './evidence.ts'
import {
  BEGINNING,
  changed,
  type Finding,
  type Precedent,
  type Search,
  type Sought,
  withTip
} from './search.ts'

/** For how long a turn that failed is the one that its client asks again. */
const FAILED_FOR_MS = 600_000

/**
 * Looks for the request's last answer: as the end of the same dialogue; as the beginning of an answer in the same
 * dialogue, or in place of one that failed; and by itself where the answers before it agree.
 */
export async function findLastAnswer(search: Search): Promise<Finding> {
  const { store, sought, last, place, unanswered, look, chosen } = search
  const [tip, before] = [search.tipAt(place), search.askedBefore(place)]
  const questions = unanswered.map((index) => search.askedBefore(index + 1))
  const same = await look({ tips: [tip], asked: questions })
  const exact = await chosen(withTip(same, tip), place, 'exact')
  if (exact) return await changed(exact, (precedent) => forgotten(precedent, same, search) ?? precedent)

  const answer = sought.marker.answer(last)
  const found = await look({ asked: [before], answer })
  const asked = found.filter(({ marks }) => marks.asked === before)
  const begun = await chosen(await begunWith(store, asked, last, sought), place, 'exact')
  if (begun) return begun
  if (isKnownByQuestion(search)) {
    const running = await chosen(asked.filter(isRunning), place, 'exact')
    if (running) return running
    const failed = await chosen(asked.filter(hasJustFailed), place, 'exact')
    if (failed) return await changed(failed, (precedent) => inItsPlace(precedent, sought))
  }
  const anchors = found.filter(({ marks }) => marks.answer === answer)
  return await chosen(await agreeing(store, anchors, place, sought), place, 'anchor')
}

/** Whether what comes before the last answer is nobody else's, so that nothing need be known of the answer. */
function isKnownByQuestion({ sought, place }: Search): boolean {
  const { dialogue, answers, isOnePersons } = sought
  const question = dialogue.slice(0, place).findLast(({ by }) => by === 'user')
  if (!question) return false
  return answers.length > 1 || isOnePersons || question.words.length >= TELLING_QUESTION
}

/** Some clients go on as soon as they have seen the end, or have stopped, before that is written. */
function isRunning({ status }: MarkedTurn): boolean {
  return status === 'in_progress'
}

/** The turn of a question behind the precedent, whose answer was stopped and not kept by the client. */
function forgotten(
  exact: Precedent,
  found: FoundMark[],
  { unanswered, askedBefore }: Search
): Precedent | null {
  for (const place of unanswered) {
    const mark = askedBefore(place + 1)
    const turn = found.find(
      ({ conversationId, seq, superseded, status, marks }) =>
        conversationId === exact.turn.conversationId &&
        seq > exact.turn.seq &&
        !superseded &&
        marks.asked === mark &&
        (status === 'in_progress' || (status === 'incomplete' && marks.answer !== null))
    )
    if (turn) return { ...exact, turn, parentSeq: turn.seq, place }
  }
  return null
}

/** What a client has of a turn that failed is its own words for that. One from long ago is another request's. */
function hasJustFailed({ status, marks, seq, lastSeq, activeAt }: FoundMark): boolean {
  const isNewest = seq === lastSeq && Date.now() - activeAt < FAILED_FOR_MS
  return status === 'failed' && marks.answer === null && isNewest
}

/** The question is in no history when its turn has failed, and comes again with what is asked now. */
function inItsPlace(precedent: Precedent, { answers }: Sought): Precedent {
  const place = answers.findLast((index) => index < precedent.place) ?? BEGINNING
  return { ...precedent, parentSeq: precedent.turn.parentSeq, place }
}
