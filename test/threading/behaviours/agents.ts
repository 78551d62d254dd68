import type { Message } from '../../helper/talk.ts'
import type { Exchange } from '../simulation/ledger.ts'
import { meeting } from '../simulation/model.ts'
import type { Person, Sending, Talk } from '../simulation/person.ts'
import { paragraph, type Random, sentence } from '../simulation/random.ts'
import { type Behaviour, think, user } from './talking.ts'

interface Call {
  id: string
  type: string
  function: { name: string; arguments: string }
}

const TOOLS = [{ type: 'function', function: { name: 'run', parameters: { type: 'object' } } }]
const MAX_ROUNDS = 8

interface Loop {
  talk: Talk
  kept: Message[]
  after: Exchange | null
}

/** Asks and runs tools until there is an answer in words. `keep` is what the client makes of a message with calls. */
async function solve(
  person: Person,
  loop: Loop,
  asked: Message,
  keep: (message: Message) => Message = (message) => message,
  first: Partial<Sending> = {}
): Promise<void> {
  loop.kept.push(asked)
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const stream = person.random.chance(0.3)
    const more = round === 0 ? first : {}
    const sending = { after: loop.after, ...more, body: { tools: TOOLS, stream } }
    const exchange = await loop.talk.send(loop.kept, sending)
    loop.after = exchange
    const answer = keep(exchange.answer)
    loop.kept.push(answer)
    const calls = answer.tool_calls as Call[] | undefined
    if (!calls) return
    await person.clock.pause(person.random.between(200, 20_000))
    for (const { id } of calls)
      loop.kept.push({ role: 'tool', tool_call_id: id, content: paragraph(person.random, 3) })
  }
}

function loopOf(talk: Talk): Loop {
  return { talk, kept: [{ role: 'system', content: 'You are an agent.' }], after: null }
}

/** An agent that is given one task after the other. */
function working(keepFor: (random: Random) => (message: Message) => Message): Behaviour {
  return async (person, name) => {
    const loop = loopOf(person.chat(name))
    const keep = keepFor(person.random)
    const count = person.random.between(1, 3)
    for (let i = 0; i < count; i += 1) {
      if (i > 0) await think(person)
      await solve(person, loop, user(sentence(person.random)), keep)
    }
  }
}

/** The calls with ids of the client's own, and their arguments written by another JSON library. */
function rewriting(random: Random) {
  return (message: Message): Message => {
    const calls = message.tool_calls as Call[] | undefined
    if (!calls) return message
    const tool_calls = calls.map((call) => {
      const members = Object.entries(JSON.parse(call.function.arguments)).reverse()
      const given = JSON.stringify(Object.fromEntries(members), null, 2)
      return {
        ...call,
        id: `mine-${random.between(1, 1e6)}`,
        function: { ...call.function, arguments: given }
      }
    })
    return { ...message, tool_calls }
  }
}

/** Keeps the words alone when a task is done. */
const forgettingTools: Behaviour = async (person, name) => {
  const loop = loopOf(person.chat(name))
  const count = person.random.between(2, 5)
  for (let i = 0; i < count; i += 1) {
    if (i > 0) await think(person)
    await solve(person, loop, user(sentence(person.random)))
    loop.kept = loop.kept.filter(({ role, tool_calls }) => role !== 'tool' && !tool_calls)
  }
}

const PROMPTS = ['Research this: ', 'You are a sub-agent. Task: ', 'Review this change: ']

/** An agent that gives tasks to others, each with a prompt of its own, and waits for all of them. */
const delegating: Behaviour = async (person, name) => {
  const { random, clock } = person
  const loop = loopOf(person.chat(name))
  const count = random.between(1, 2)
  for (let i = 0; i < count; i += 1) {
    if (i > 0) await think(person)
    await solve(person, loop, user(sentence(random)))
    const prompt = random.pick(PROMPTS)
    const tasks = Array.from({ length: random.between(2, 3) }, () => sentence(random))
    const agents = tasks.map((task) => ({ self: person.apart(task), asked: user(prompt + task) }))
    await clock.together(
      agents.map(
        ({ self, asked }) =>
          () =>
            solve(self, loopOf(self.chat(name)), asked)
      )
    )
  }
}

/** Several go on from one history at once, each with a task of its own, and each then goes on alone. */
const forking: Behaviour = async (person, name) => {
  const { random, clock } = person
  const loop = loopOf(person.chat(name))
  await solve(person, loop, user(sentence(random)))
  await think(person)
  const tasks = Array.from({ length: random.between(2, 4) }, () => sentence(random))
  const arrive = meeting(tasks.length)
  const selves = tasks.map((task) => person.apart(task))
  await clock.together(
    selves.map((self, i) => async () => {
      const fork = { ...loop, talk: self.chat(name), kept: [...loop.kept] }
      const first = { isBeside: true, plan: { arrive } }
      await solve(self, fork, user(`Part ${i + 1}: ${tasks[i]}`), undefined, first)
      await think(self)
      await solve(self, fork, user(sentence(self.random)))
    })
  )
}

/** Clients that call tools. */
export const agents: Record<string, Behaviour> = {
  'tool loops': working(() => (message) => message),
  'tool loops rewritten': working(rewriting),
  'tool messages dropped': forgettingTools,
  'sub-agents': delegating,
  'forks of one history': forking
}
