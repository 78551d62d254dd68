import { deepStrictEqual, equal } from 'node:assert/strict'
import type { JsonObject } from '../../storage/contract.ts'
import { itemsSaying, type Said, saidIn, textsOf } from './said-model.ts'
import { attempt, type Plan, planAsk } from './service-asks.ts'
import type { ServiceClient } from './service-client.ts'
import { askAgain, type KnownKeys } from './service-keys.ts'
import {
  itemsOf,
  type ModelConversation,
  type ModelTurn,
  removeSaid,
  removeTurn,
  titleOf,
  type World
} from './service-model.ts'
import type { Ask, Step } from './service-steps.ts'

/** Does what a step says, to the service and to the model. */
export async function run(
  client: ServiceClient,
  world: World,
  keys: KnownKeys,
  sessions: string[],
  step: Step
): Promise<void> {
  const session = sessions[step.session] ?? ''
  if (step.step === 'ask') return ask(client, world, planAsk(world, session, step), step)
  if (step.step === 'ask with key') return askAgain(client, world, keys, session, step)
  if (step.step === 'add') return add(client, world, session, step)
  return change(client, world, session, step)
}

async function ask(client: ServiceClient, world: World, plan: Plan, { answers }: Ask): Promise<void> {
  let turn: ModelTurn | null = null
  for (const [count, answer] of answers.entries()) {
    const headers: Record<string, string> = count === 0 ? {} : { 'x-stainless-retry-count': String(count) }
    turn = await attempt(client, world, plan, answer, turn, headers)
    if (turn.status === 'completed') return
  }
}

async function add(
  client: ServiceClient,
  world: World,
  session: string,
  step: Extract<Step, { step: 'add' }>
): Promise<void> {
  const said = step.items.flat()
  const items = itemsSaying(said)
  const own = world.conversations.filter((one) => one.session === session)
  const old = step.isNew ? undefined : own.at(-1 - step.pick)
  const metadata: Record<string, string> = step.tag === '' ? {} : { tag: step.tag }
  const path = old ? `/conversations/${old.id}/items` : '/conversations'
  const body = old ? { items } : { items, metadata }
  const { json, status, text } = await client.call(session, path, { body })
  equal(status, 200, text)
  if (old) deepStrictEqual(saidIn(json.data), said, 'items that were added')
  const groups = groupsOf(said)
  const conversation = old ?? {
    id: json.id,
    session,
    title: titleOf(textsOf(groups[0]?.asked ?? [], 'user')),
    metadata,
    lastSeq: 0,
    turns: []
  }
  if (!old) world.conversations.push(conversation)
  const after = `after_seq=${conversation.lastSeq}&limit=100`
  const turns = (await client.call(session, `/conversations/${conversation.id}/turns?${after}`)).json.data
  for (const { asked, answered } of groups) {
    const id = turns.find((turn: JsonObject) => turn.seq === conversation.lastSeq + 1)?.id
    addTurn(world, conversation, id, asked, answered)
  }
}

/** What was said, and what the assistant made of it. */
function groupsOf(said: Said[]): { asked: Said[]; answered: Said[] }[] {
  const groups: { asked: Said[]; answered: Said[] }[] = []
  for (const one of said) {
    const answer = /^(assistant|call)/.test(one)
    const last = groups.at(-1)
    if (last && (answer || last.answered.length === 0)) last[answer ? 'answered' : 'asked'].push(one)
    else groups.push(answer ? { asked: [], answered: [one] } : { asked: [one], answered: [] })
  }
  return groups
}

function addTurn(
  world: World,
  conversation: ModelConversation,
  id: string,
  asked: Said[],
  answered: Said[]
): void {
  const seq = conversation.lastSeq + 1
  const counting = conversation.turns.filter(({ superseded }) => !superseded)
  const turn: ModelTurn = {
    id,
    conversation,
    seq,
    parentSeq: seq - 1,
    kind: 'items',
    status: 'completed',
    attempt: 1,
    superseded: false,
    way: [...counting.map((one) => one.seq), seq],
    asked,
    answered,
    userText: textsOf(asked, 'user'),
    assistantText: textsOf(answered, 'assistant'),
    completionId: null,
    model: null,
    metadata: {}
  }
  conversation.lastSeq = seq
  conversation.turns.push(turn)
  world.turns.push(turn)
}

async function change(
  client: ServiceClient,
  world: World,
  session: string,
  { step, pick, other, tag }: Extract<Step, { step: 'update' | `delete ${string}` }>
): Promise<void> {
  const own = world.conversations.filter((one) => one.session === session)
  const conversation = own[pick % Math.max(own.length, 1)]
  if (!conversation) return
  const path = `/conversations/${conversation.id}`
  const metadata: Record<string, string> = tag === '' ? {} : { tag }
  const done = async (at: string, options: { method?: string; body?: unknown }) => {
    const { status, text } = await client.call(session, at, options)
    equal(status, 200, `${step} ${at}: ${text}`)
  }
  const mine = world.turns.filter((turn) => turn.conversation.session === session)
  const completions = mine.filter(({ kind, status }) => kind === 'chat' && status === 'completed')
  const completion = completions[other % Math.max(completions.length, 1)]
  switch (step) {
    case 'update':
      if (completion) await done(`/chat/completions/${completion.id}`, { body: { metadata } })
      if (completion) completion.metadata = metadata
      await done(path, { body: { metadata, title: tag || null } })
      Object.assign(conversation, { metadata, title: tag || null })
      return
    case 'delete conversation':
      await done(path, { method: 'DELETE' })
      for (const turn of conversation.turns) removeTurn(world, turn)
      world.conversations = world.conversations.filter((one) => one !== conversation)
      return
    case 'delete completion':
      if (!completion) return
      await done(`/chat/completions/${completion.id}`, { method: 'DELETE' })
      return removeTurn(world, completion)
    case 'delete response': {
      const responses = mine.filter(({ kind, status }) => kind === 'response' && status !== 'failed')
      const response = responses[other % Math.max(responses.length, 1)]
      if (!response) return
      await done(`/responses/${tag === '' ? response.id : response.completionId}`, { method: 'DELETE' })
      return removeTurn(world, response)
    }
    default:
      return deleteItem(client, world, conversation, other)
  }
}

async function deleteItem(
  client: ServiceClient,
  world: World,
  conversation: ModelConversation,
  pick: number
): Promise<void> {
  const path = `/conversations/${conversation.id}/items`
  const list = async () =>
    (await client.list(conversation.session, `${path}?order=asc`, 100)).map(({ id }) => id)
  const before = await list()
  const places = itemsOf(conversation).flatMap((turn) =>
    [...turn.asked, ...turn.answered].map((_, index) => ({ turn, index }))
  )
  equal(before.length, places.length, 'items before one is deleted')
  const at = pick % Math.max(places.length, 1)
  const place = places[at]
  if (!place) return
  const { status, json } = await client.call(conversation.session, `${path}/${before[at]}`, {
    method: 'DELETE'
  })
  deepStrictEqual([status, json?.id], [200, conversation.id], 'a deleted item gives its conversation')
  removeSaid(world, place.turn, place.index)
  deepStrictEqual(await list(), before.toSpliced(at, 1), 'the other items keep their ids')
}
