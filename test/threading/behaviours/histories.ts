import type { Message } from '../../helper/talk.ts'
import type { Exchange } from '../simulation/ledger.ts'
import { REFUSED } from '../simulation/model.ts'
import type { Person } from '../simulation/person.ts'
import { paragraph, type Random } from '../simulation/random.ts'
import { assistant, type Behaviour, type Habit, question, talking, think, user } from './talking.ts'

const WINDOW = 6
/** How many of the newest messages are sent beside a summary. */
const BESIDE_SUMMARY = 4

/** A summary of all but the newest messages, made again when many have come. */
function summarizing(random: Random, role: 'system' | 'user'): Habit {
  let summarized = 0
  let summary: Message[] = []
  return {
    resend(kept) {
      if (kept.length - summarized > BESIDE_SUMMARY + 4) {
        summarized = kept.length - BESIDE_SUMMARY
        summary = [{ role, content: `What was said so far: ${paragraph(random, 3)}` }]
        if (role === 'user') summary.push(assistant('Understood.'))
      }
      return [...summary, ...kept.slice(summarized)]
    }
  }
}

/** Sends the newest messages, and is often given an answer that others are given as well. */
function refused(random: Random): Habit {
  return {
    ask(text) {
      const asked = user(random.chance(0.3) ? REFUSED : text)
      return { sent: [asked], kept: [asked] }
    },
    resend: (kept) => kept.slice(1 - WINDOW)
  }
}

/** Asks for a title after the first answer, as Open WebUI does. */
const titled: Behaviour = async (person, name) => {
  const talk = person.chat(name)
  const kept: Message[] = []
  const count = person.random.between(2, 5)
  let after: Exchange | null = null
  for (let i = 0; i < count; i += 1) {
    if (after) await think(person)
    kept.push(user(question(person.random, after === null)))
    after = await talk.send(kept, { after })
    kept.push(after.answer)
    if (i > 0) continue
    const quoted = kept.map(({ role, content }) => `${role.toUpperCase()}: ${content}`).join('\n')
    const prompt = `### Task:\nGenerate a concise, 3-5 word title with an emoji.\n### Chat History:\n<chat_history>\n${quoted}\n</chat_history>`
    await talk.send([user(prompt)], { after: null, isBackground: true })
  }
}

const timeOf = ({ clock }: Person) => `It is ${new Date(clock.now()).toISOString()}.`

/** Clients that differ in how much they send again of a chat that only goes on, and in what stands around it. */
export const histories: Record<string, Behaviour> = {
  'plain resend': talking(() => ({})),
  'trimmed window': talking(() => ({ resend: (kept) => kept.slice(1 - WINDOW) }), [5, 9]),
  'window with refusals': talking(refused, [5, 9]),
  'summary as system': talking((random) => summarizing(random, 'system'), [6, 10]),
  'summary as user': talking((random) => summarizing(random, 'user'), [6, 10]),
  'clock in system': async (person, name) => {
    const system = (): Message => ({ role: 'system', content: timeOf(person) })
    await talking(() => ({ resend: (kept) => [system(), ...kept] }))(person, name)
  },
  'clock in first message': async (person, name) => {
    const dated = ([first, ...rest]: Message[]) =>
      first ? [user(`${timeOf(person)}\n${first.content}`), ...rest] : []
    await talking(() => ({ resend: dated }))(person, name)
  },
  'model switched': talking(() => ({ body: (count) => ({ model: `model-${count % 3}` }) })),
  'background titles': titled
}
