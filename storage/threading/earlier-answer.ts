import { agreeing, followed, isTelling } from './evidence.ts'
import { changed, type Finding, type Precedent, type Search, withTip } from './search.ts'

/** How many answers are looked for as the end of the same dialogue, so many in a query, and how many by themselves. */
const MAX_TIPS = 30
const TIPS = 6
const MAX_ANCHORS = 3

/** Looks for an answer before the last one: what comes after it was edited. */
export async function findEarlierAnswer(search: Search): Promise<Finding> {
  const finding = (await byTip(search)) ?? (await byItself(search))
  return await changed(finding, (precedent) => asFarAsItGoes(precedent, search))
}

async function byTip({ sought, tipAt, look, chosen }: Search): Promise<Finding> {
  const places = sought.answers.slice(0, -1).slice(-MAX_TIPS).reverse()
  for (let from = 0; from < places.length; from += TIPS) {
    const some = places.slice(from, from + TIPS)
    const there = await look({ tips: some.map(tipAt) })
    for (const index of some) {
      const earlier = await chosen(withTip(there, tipAt(index)), index, 'exact')
      if (earlier) return earlier
    }
  }
  return null
}

async function byItself({ store, sought, look, chosen }: Search): Promise<Finding> {
  const { answers, dialogue, marker } = sought
  const telling = answers.slice(0, -1).flatMap((index) => {
    const said = dialogue[index]
    return said && isTelling(said) ? [{ index, said }] : []
  })
  for (const { index, said } of telling.slice(-MAX_ANCHORS).reverse()) {
    const there = await look({ answer: marker.answer(said) })
    const earlier = await chosen(await agreeing(store, there, index, sought), index, 'anchor')
    if (earlier) return earlier
  }
  return null
}

/** On from an earlier answer where the same answers follow it, though the questions differ. */
async function asFarAsItGoes(precedent: Precedent, { store, sought }: Search): Promise<Precedent> {
  const reached = await followed(store, precedent.turn, precedent.place, sought)
  const match = reached.place === precedent.place ? precedent.match : 'anchor'
  return { ...precedent, ...reached, parentSeq: reached.turn.seq, match }
}
