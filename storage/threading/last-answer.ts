import type { FoundMark } from '../contract.ts'
import { agreeing, begunWith } from './evidence.ts'
import { changed, type Finding, type Precedent, type Search, withTip } from './search.ts'

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
  const failed = await chosen(asked.filter(hasJustFailed), place, 'exact')
  if (failed) return await changed(failed, inItsPlace)
  const anchors = found.filter(({ marks }) => marks.answer === answer)
  return await chosen(await agreeing(store, anchors, place, sought), place, 'anchor')
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
        status === 'incomplete' &&
        marks.asked === mark &&
        marks.answer !== null
    )
    if (turn) return { ...exact, turn, parentSeq: turn.seq, place }
  }
  return null
}

/** What a client has of a turn that has failed is its own words for that. A turn from long ago is another request's. */
function hasJustFailed({ status, marks, seq, lastSeq, activeAt }: FoundMark): boolean {
  const isNewest = seq === lastSeq && Date.now() - activeAt < FAILED_FOR_MS
  return status === 'failed' && marks.answer === null && isNewest
}

function inItsPlace(precedent: Precedent): Precedent {
  return { ...precedent, parentSeq: precedent.turn.parentSeq }
}
