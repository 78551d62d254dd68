import type { Message } from '../../helper/talk.ts'
import { paragraph, type Random, sentence } from '../simulation/random.ts'
import { assistant, type Behaviour, type Habit, talking, user, wordsOf } from './talking.ts'

/** The answers are long thoughts in tags, which are not sent again. */
const thinking: Habit = {
  keep: (answer) => assistant(wordsOf(answer).replace(/<think>.*?<\/think>\s*/s, '')),
  body: () => ({ model: 'thinker' })
}

/** What is found for a question is sent with it, and not kept. */
function withDocuments(random: Random): Habit {
  return {
    ask(text) {
      const documents = paragraph(random, random.between(5, 12))
      return { sent: [user(`${text}\n\nUse this context:\n${documents}`)], kept: [user(text)] }
    }
  }
}

const spellings: ((text: string) => string)[] = [
  (text) => text.replaceAll('\n', '\r\n'),
  (text) => text.normalize('NFD'),
  (text) => `${text} \n`,
  (text) => text.trimEnd()
]

/** What was said comes back in another spelling of the same. */
function respelling(random: Random): Habit {
  const spell = random.pick(spellings)
  return {
    ask: (text) => ({ sent: [user(`${text}\nPlease.\n`)], kept: [user(`${text}\nPlease.\n`)] }),
    resend: (kept) => kept.map(({ role, content }) => ({ role, content: spell(String(content)) }))
  }
}

/** The text of each message as a list of parts, as soon as it is sent again. */
const inParts: Habit = {
  resend: (kept) =>
    kept.map(({ role, content }) => ({ role, content: [{ type: 'text', text: String(content) }] }))
}

const PICTURE_BYTES = 300

function picture(bytes: Buffer, isBroken = false): object {
  const base64 = bytes.toString('base64')
  const url = `data:image/png;base64,${isBroken ? base64.replace(/.{76}/g, '$&\n') : base64}`
  return { type: 'image_url', image_url: { url, ...(isBroken && { detail: 'auto' }) } }
}

/** A picture comes with the first question, and in another form with each that follows. */
function picturing(random: Random, isMadeSmaller: boolean): Habit {
  const bytes = (count: number) => Buffer.from(Array.from({ length: count }, () => random.between(0, 255)))
  const first = bytes(PICTURE_BYTES)
  const asked = (text: string, part: object): Message => user([{ type: 'text', text }, part])
  let isFirst = true
  return {
    ask(text) {
      if (!isFirst) return { sent: [user(text)], kept: [user(text)] }
      isFirst = false
      const again = isMadeSmaller ? picture(bytes(PICTURE_BYTES / 3)) : picture(first, true)
      return { sent: [asked(text, picture(first))], kept: [asked(text, again)] }
    }
  }
}

/** Two messages at a time, which are one when they are sent again. */
function merging(random: Random): Habit {
  return {
    ask(text) {
      const more = sentence(random)
      return { sent: [user(text), user(more)], kept: [user(`${text}\n\n${more}`)] }
    }
  }
}

/** Of two answers the second one is kept. */
const choosing: Habit = {
  keep: (_, { choices }) => choices[1] ?? assistant(''),
  body: () => ({ n: 2, stream: false })
}

/** Clients that send what was said in another form than it had. */
export const rewritten: Record<string, Behaviour> = {
  'RAG in live message': talking(withDocuments),
  'think tags stripped': talking(() => thinking),
  'other spelling': talking(respelling),
  'string to parts': talking(() => inParts),
  'image encoded anew': talking((random) => picturing(random, false)),
  'image made smaller': talking((random) => picturing(random, true)),
  'messages merged': talking(merging),
  'second choice kept': talking(() => choosing)
}
