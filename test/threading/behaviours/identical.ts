import type { Message } from '../../helper/talk.ts'
import type { Exchange } from '../simulation/ledger.ts'
import { meeting } from '../simulation/model.ts'
import { type Random, sentence } from '../simulation/random.ts'
import { assistant, type Behaviour, goOn, MINUTE, question, think, user } from './talking.ts'

const OPENERS = ['Hi', 'Hi', 'Hello', 'hey']

/** Says hello, and then nothing at all or what it is about; now and then once more in another window. */
const opening: Behaviour = async (person, name) => {
  const { random, clock } = person
  const count = random.between(1, 3)
  for (let i = 0; i < count; i += 1) {
    const talk = person.chat(name)
    const hello = user(random.pick(OPENERS))
    const first = await talk.send([hello], { after: null, body: { stream: random.chance(0.3) } })
    if (random.chance(0.3)) {
      await clock.pause(random.between(1, 60) * MINUTE)
      continue // abandoned
    }
    await think(person)
    const text = user(question(random, true))
    const kept = [hello, first.answer, text]
    const second = await talk.send(kept, { after: first })
    await goOn(person, talk, {}, random.between(1, 3), { kept: [...kept, second.answer], after: second })
    await clock.pause(random.between(5, 300) * MINUTE)
  }
}

const COMMON = ['What can you do?', 'Write a haiku about the sea.', 'What is the capital of France?']

/** Asks what many ask, and is answered as they are; then it goes on. */
const askingTheUsual: Behaviour = async (person, name) => {
  const { random } = person
  const talk = person.chat(name)
  const asked = user(random.pick(COMMON))
  const first = await talk.send([asked], { after: null, body: { temperature: 0 } })
  await think(person)
  await goOn(person, talk, {}, random.between(1, 3), { kept: [asked, first.answer], after: first })
}

/** One request many times over, at once and one after the other. */
function batching(makeMessages: (random: Random) => Message[]): Behaviour {
  return async (person, name) => {
    const { random, clock } = person
    const body = { temperature: 0 }
    const count = random.between(1, 2)
    for (let i = 0; i < count; i += 1) {
      const messages = makeMessages(random)
      const ask = (plan = {}) => person.chat(name).send(messages, { after: null, body, plan })
      const atOnce = random.between(2, 4)
      const arrive = meeting(atOnce)
      await Promise.all(Array.from({ length: atOnce }, () => ask({ arrive })))
      const later = random.between(1, 3)
      for (let j = 0; j < later; j += 1) {
        await clock.pause(random.between(500, 5_000))
        await ask()
      }
    }
  }
}

const LABELS = ['positive', 'negative', 'neutral']

/** Examples of what is to be answered, which nobody has answered here. */
function fewShot(random: Random): Message[] {
  const examples = ['Works well.', 'Broke at once.', 'It is a lamp.', sentence(random)]
  const shown = examples.flatMap((text, i) => [user(text), assistant(LABELS[i % LABELS.length])])
  return [...shown, user(sentence(random))]
}

/** The same questions one after the other, in several runs. */
function evaluating(areAtOnce: boolean): Behaviour {
  return async (person, name) => {
    const { random, clock } = person
    const questions = Array.from({ length: random.between(2, 4) }, () => question(random, true))
    const run = async () => {
      const talk = person.chat(name)
      const kept: Message[] = []
      let after: Exchange | null = null
      for (const text of questions) {
        kept.push(user(text))
        const exchange: Exchange = await talk.send(kept, { after, body: { temperature: 0 } })
        kept.push(exchange.answer)
        after = exchange
        await clock.pause(random.between(500, 5_000))
      }
    }
    const runs = Array.from({ length: random.between(2, 3) }, () => run)
    if (areAtOnce) {
      await clock.together(runs)
      return
    }
    for (const one of runs) {
      await one()
      await clock.pause(random.between(1_000, 90 * MINUTE))
    }
  }
}

/** Whose chats say the same at the same time, so that nobody can tell which of them a request goes on with. */
export const UNDECIDABLE = 'same runs at once'

/** Many requests that are the same, or begin the same. */
export const identical: Record<string, Behaviour> = {
  'short openers': opening,
  'common questions': askingTheUsual,
  'batches at temperature 0': batching((random) => [user(sentence(random))]),
  'few-shot batches': batching(fewShot),
  'same runs in turn': evaluating(false),
  [UNDECIDABLE]: evaluating(true)
}
