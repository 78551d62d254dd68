import type { RunningApp } from '../../helper/app.ts'
import type { Message } from '../../helper/talk.ts'
import type { Clock } from './clock.ts'
import { type Chat, type Exchange, saidBy } from './ledger.ts'
import { keyOf, type Plan } from './model.ts'
import { createRandom, type Random } from './random.ts'
import { request } from './request.ts'

/** The service as the simulation uses it. */
export interface World {
  running: RunningApp
  clock: Clock
  plans: Map<string, Plan>
  exchanges: Exchange[]
}

/** Somebody who uses clients. */
export interface Person {
  name: string
  random: Random
  clock: Clock
  /** What all requests say of who asks. */
  fields: object
  headers: Record<string, string>
  chat(behaviour: string): Talk
  /** The same one, whose choices do not depend on what is done meanwhile. */
  apart(what: string): Person
}

export interface Sending {
  /** The exchange that is gone on from. */
  after: Exchange | null
  body?: object
  plan?: Plan
  isBeside?: boolean
  isBackground?: boolean
  /** How many pieces of the answer the client has shown when it is stopped. */
  shown?: number
}

/** One chat as a client has it. */
export interface Talk {
  send(messages: Message[], sending: Sending): Promise<Exchange>
}

export function createPerson(
  world: World,
  { name, random, fields, headers }: Omit<Person, 'chat' | 'clock' | 'apart'>
): Person {
  const { running, clock, plans, exchanges } = world
  const chat = (behaviour: string): Talk => {
    const known: Chat = { behaviour, person: name, texts: new Set() }
    return {
      async send(messages, { after, body, plan, isBeside = false, isBackground = false, shown }) {
        if (plan) plans.set(keyOf(messages), plan)
        const sent = { messages, ...fields, ...body }
        const { res, choices } = await request(running, sent, headers, shown)
        for (const message of [...messages, ...choices])
          if (message.role === 'assistant') known.texts.add(saidBy(message))
        const [answer = { role: 'assistant', content: '' }] = choices
        const dialogue = keyOf([...messages.filter(({ role }) => role !== 'system'), answer])
        const filed = {
          status: res.status,
          match: res.headers.get('x-conversation-match'),
          conversationId: res.headers.get('x-conversation-id'),
          seq: Number(res.headers.get('x-turn-seq')),
          message: answer
        }
        const isOpening = messages.every(({ role }) => role !== 'assistant')
        const common = {
          chat: known,
          after,
          isBeside,
          isBackground,
          isOpening,
          dialogue,
          answer,
          choices,
          filed,
          headers
        }
        const exchange: Exchange = { ...common, replacedBy: null }
        exchanges.push(exchange)
        return exchange
      }
    }
  }
  const apart = (what: string | number): Person => {
    const own = createRandom(`${random.next()} ${what}`)
    return createPerson(world, { name, random: own, fields, headers })
  }
  return { name, random, clock, fields, headers, chat, apart }
}
