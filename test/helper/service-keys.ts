import { deepStrictEqual, equal } from 'node:assert/strict'
import type { JsonObject } from '../../storage/contract.ts'
import { type Said, saidIn } from './said-model.ts'
import { attempt, type Plan } from './service-asks.ts'
import type { ServiceClient } from './service-client.ts'
import type { ModelTurn, World } from './service-model.ts'
import type { Step } from './service-steps.ts'

/** What was asked with an idempotency key, by session, route and key. */
export type KnownKeys = Map<string, { variant: number; turn: ModelTurn }>

/** Asks with an idempotency key that may be known. */
export async function askAgain(
  client: ServiceClient,
  world: World,
  keys: KnownKeys,
  session: string,
  { route, key, variant, answer }: Extract<Step, { step: 'ask with key' }>
): Promise<void> {
  const isCut = answer.kind.startsWith('cut')
  const plan = planOf(session, route, variant)
  const headers = { 'idempotency-key': `key-${key}` }
  const name = `${session} ${route} ${key}`
  const found = keys.get(name)
  const known = found && world.turns.includes(found.turn) ? found : undefined
  if (known?.turn.kind === 'items') return // what is left of it is no answer
  const isReplay = known && (known.variant !== variant || known.turn.status === 'completed')
  if (!isReplay) {
    if (isCut && plan.body.stream === false) return // whole answers come whole
    const turn = await attempt(client, world, plan, answer, known?.turn ?? null, headers)
    keys.set(name, { variant, turn })
    return
  }
  const path = route === 'chat' ? '/chat/completions' : '/responses'
  const { reply, call } = await client.ask(session, path, plan.body, headers, answer)
  equal(call, null, 'the upstream is not asked again')
  if (known.variant !== variant) {
    deepStrictEqual([reply.status, reply.headers.get('x-should-retry')], [422, 'false'])
    return
  }
  deepStrictEqual([reply.status, reply.headers.get('idempotent-replayed')], [200, 'true'])
  const replayed = plan.body.stream ? saidByStream(reply.text) : saidByBody(reply.json)
  deepStrictEqual(replayed, known.turn.answered, 'what is replayed')
}

function planOf(session: string, route: 'chat' | 'response', variant: number): Plan {
  const text = `with key ${variant}`
  const question = route === 'chat' ? { messages: [{ role: 'user', content: text }] } : { input: text }
  const said = [`user: ${text}`]
  return {
    session,
    route,
    body: { model: 'm1', stream: variant === 1, ...question },
    headers: {},
    conversation: null,
    parentSeq: null,
    sent: said,
    isOurs: false,
    asked: said,
    userText: text
  }
}

export function saidByBody({ choices, output }: JsonObject): Said[] {
  const messages = ((choices ?? []) as JsonObject[]).map(({ message }) => message as JsonObject)
  return saidIn((output as JsonObject[] | undefined) ?? messages)
}

/** What a stream says whose chunks hold everything in one piece each. */
function saidByStream(text: string): Said[] {
  const events = [...text.matchAll(/^data: (\{.*)$/gm)].map(([, json = '']) => JSON.parse(json) as JsonObject)
  const last = events.at(-1)
  if (last?.response) return saidByBody(last.response as JsonObject)
  const [first] = events
  const [choice] = (first?.choices ?? []) as JsonObject[]
  return saidIn([{ role: 'assistant', ...(choice?.delta as JsonObject) }])
}
