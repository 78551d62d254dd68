import type { Message } from '../../helper/talk.ts'
import type { Exchange } from '../simulation/ledger.ts'
import { piecesOf } from '../simulation/model.ts'
import { ask, history, sightOf } from './sight.ts'
import { assistant, type Behaviour, question, think, user } from './talking.ts'

/** Stops the answer in its middle, and goes on with what there is of it. */
const stopping: Behaviour = async (person, name) => {
  const { random } = person
  const sight = sightOf(person.chat(name))
  const count = random.between(3, 6)
  for (let i = 0; i < count; i += 1) {
    if (i > 0) await think(person)
    const asked = user(question(random, i === 0))
    if (!random.chance(0.4)) {
      await ask(sight, asked, { stream: true })
      continue
    }
    const shown = random.between(1, 40)
    const after = sight.seen.at(-1)?.exchange ?? null
    const plan = { piecesBeforeStop: shown + random.between(0, 8) }
    const exchange = await sight.talk.send([...history(sight), asked], { after, plan, shown })
    sight.seen.push({ asked, answer: exchange.answer, exchange })
  }
}

/** As `stopping`, and says so in the answer that it keeps. */
const interrupting: Behaviour = async (person, name) => {
  const { random } = person
  const sight = sightOf(person.chat(name))
  const count = random.between(3, 6)
  for (let i = 0; i < count; i += 1) {
    if (i > 0) await think(person)
    const asked = user(question(random, i === 0))
    const isStopped = random.chance(0.3)
    const shown = random.between(10, 30)
    const after = sight.seen.at(-1)?.exchange ?? null
    const stop = isStopped ? { plan: { piecesBeforeStop: shown }, shown } : {}
    const exchange = await sight.talk.send([...history(sight), asked], { after, ...stop })
    const isCut = isStopped && piecesOf(String(exchange.answer.content)).length === shown
    const answer = isCut ? assistant(`${exchange.answer.content}\n\n[interrupted]`) : exchange.answer
    sight.seen.push({ asked, answer, exchange })
  }
}

/** Stops the answer in its middle, has it continued from there, and keeps both as one. */
const continuing: Behaviour = async (person, name) => {
  const { random } = person
  const sight = sightOf(person.chat(name))
  const count = random.between(3, 6)
  for (let i = 0; i < count; i += 1) {
    if (i > 0) await think(person)
    const asked = user(question(random, i === 0))
    if (i === 0 || !random.chance(0.4)) {
      await ask(sight, asked)
      continue
    }
    const shown = random.between(8, 20)
    const after = sight.seen.at(-1)?.exchange ?? null
    const sent = [...history(sight), asked]
    const broken = await sight.talk.send(sent, { after, plan: { piecesBeforeStop: shown }, shown })
    await person.clock.pause(random.between(3_000, 30_000))
    const rest = await sight.talk.send([...sent, broken.answer], { after })
    broken.replacedBy = rest
    const answer = assistant(`${broken.answer.content}${rest.answer.content}`)
    sight.seen.push({ asked, answer, exchange: rest })
  }
}

/** Shows an error as if it were an answer, keeps it, and is asked the same again. */
const failing: Behaviour = async (person, name) => {
  const { random } = person
  const talk = person.chat(name)
  const kept: Message[] = []
  let after: Exchange | null = null
  const count = random.between(3, 6)
  for (let i = 0; i < count; i += 1) {
    if (after) await think(person)
    const asked = user(question(random, after === null))
    if (random.chance(0.25)) {
      const failed: Exchange = await talk.send([...kept, asked], { after, plan: { fails: 500 } })
      kept.push(asked, assistant('Error: the server is overloaded.'))
      after ??= failed
      await person.clock.pause(random.between(3_000, 60_000))
      const again: Exchange = await talk.send([...kept, asked], { after })
      failed.replacedBy = again
      kept.push(asked, again.answer)
      after = again
      continue
    }
    const exchange: Exchange = await talk.send([...kept, asked], { after })
    kept.push(asked, exchange.answer)
    after = exchange
  }
}

/** Clients whose answers do not all come to their end. */
export const stops: Record<string, Behaviour> = {
  'stop pressed': stopping,
  'stop, with a remark': interrupting,
  'answer continued': continuing,
  'error as an answer': failing
}
