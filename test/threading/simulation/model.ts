import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Message } from '../../helper/talk.ts'
import { DONE, delta, type ScriptedUpstream, sendJson, startSse } from '../../helper/upstream.ts'
import { createRandom, paragraph, type Random, sentence } from './random.ts'

export interface ChatBody {
  model?: string
  messages: Message[]
  stream?: boolean
  temperature?: number
  n?: number
  tools?: unknown
}

/** What one request is to meet with at the upstream, beside its answer. */
export interface Plan {
  /** Is waited for before it is answered. */
  arrive?: () => Promise<void>
  /** Answers with this status. */
  fails?: number
  /** Sends so many pieces of the answer, and the rest when the client is gone. */
  piecesBeforeStop?: number
}

export const GREETING = 'Hello! How can I help you today?'
/** What the model does not answer, and what it says then, to everybody. */
export const REFUSED = 'Tell me a secret.'
const REFUSAL = `I am not able to help with that. ${'Please ask me about something else, and see our terms. '.repeat(4)}`
const GREETINGS = ['Hi', 'hi', 'Hello', 'hey']
const SHORT = ['Yes.', 'No.', 'Done.', 'OK.', 'Sure, here you go.', '42']

/**
 * Makes the upstream a model whose answers follow from the seed and the request alone. Asked the same once more it
 * answers otherwise, except at temperature 0 and to a mere greeting. Returns what it is told of requests before they come.
 */
export function startModel(upstream: ScriptedUpstream, seed: string): Map<string, Plan> {
  const plans = new Map<string, Plan>()
  const asked = new Map<string, number>()

  upstream.script = async (res, call) => {
    upstream.calls.length = 0 // thousands of them
    const body = JSON.parse(call.body) as ChatBody
    const key = keyOf(body.messages)
    const plan = plans.get(key) ?? {}
    const count = asked.get(key) ?? 0
    asked.set(key, count + 1)
    await plan.arrive?.()
    if (plan.fails) return sendJson(res, plan.fails, { error: { message: 'overloaded' } })
    const version = body.temperature === 0 ? 0 : count
    const choices = Array.from({ length: body.n ?? 1 }, (_, index) =>
      answerTo(body, createRandom(`${seed} ${key} ${version} ${index}`))
    )
    if (body.stream) return await stream(res, choices[0] as Message, plan)
    const all = choices.map((message, index) => ({ index, message, finish_reason: finishOf(message) }))
    sendJson(res, 200, { id: 'c', object: 'chat.completion', model: body.model, choices: all })
  }
  return plans
}

/** To be waited for by `count`, none of whom goes on before all are there. */
export function meeting(count: number): () => Promise<void> {
  const all = Promise.withResolvers<void>()
  let missing = count
  return () => {
    missing -= 1
    if (missing === 0) all.resolve()
    return all.promise
  }
}

export function keyOf(messages: Message[]): string {
  return createHash('sha256').update(JSON.stringify(messages)).digest('hex')
}

function answerTo(body: ChatBody, random: Random): Message {
  const last = body.messages.at(-1)
  const text = typeof last?.content === 'string' ? last.content : ''
  if (GREETINGS.includes(text)) return { role: 'assistant', content: GREETING }
  if (text === REFUSED) return { role: 'assistant', content: REFUSAL }
  if (body.tools) return agentAnswer(body.messages, random)
  const isShort = random.chance(0.1)
  const answer = isShort ? random.pick(SHORT) : paragraph(random, random.between(1, 9))
  const thought = body.model === 'thinker' ? `<think>${paragraph(random, 3)}</think>\n\n` : ''
  return { role: 'assistant', content: thought + answer }
}

const TOOLS = ['read_file', 'list_files', 'search', 'run']

/** The longer a tool loop is, the more likely it ends. */
function agentAnswer(messages: Message[], random: Random): Message {
  const since = messages.slice(messages.findLastIndex(({ role }) => role === 'user'))
  const rounds = since.filter(({ role }) => role === 'assistant').length
  if (random.chance(rounds / 4)) {
    return { role: 'assistant', content: paragraph(random, random.between(1, 5)) }
  }
  const calls = Array.from({ length: random.chance(0.4) ? 2 : 1 }, () => {
    const name = random.pick(TOOLS)
    const given = name === 'list_files' ? { path: '.', deep: false } : { path: sentence(random), limit: 20 }
    const id = `call_${random.between(1e8, 1e9)}`
    return { id, type: 'function', function: { name, arguments: JSON.stringify(given) } }
  })
  return { role: 'assistant', content: random.chance(0.3) ? sentence(random) : null, tool_calls: calls }
}

function finishOf({ tool_calls }: Message): string {
  return tool_calls ? 'tool_calls' : 'stop'
}

/** The text as it is streamed. */
export function piecesOf(text: string): string[] {
  return text.match(/\s*\S+\s*?/g) ?? []
}

async function stream(res: ServerResponse, message: Message, { piecesBeforeStop }: Plan): Promise<void> {
  startSse(res)
  const pieces = typeof message.content === 'string' ? piecesOf(message.content) : []
  const first = pieces.splice(0, piecesBeforeStop ?? pieces.length)
  res.write(first.map((content) => delta({ content })).join(''))
  if (pieces.length > 0) return void (await once(res, 'close'))
  const calls = (message.tool_calls as object[] | undefined)?.map((call, index) => ({ index, ...call }))
  if (calls) res.write(delta({ tool_calls: calls }))
  res.end(`${delta({}, finishOf(message))}${DONE}`)
}
