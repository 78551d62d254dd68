import { deepStrictEqual, equal } from 'node:assert/strict'
import type { JsonObject } from '../../storage/contract.ts'
import { type Said, saidIn, withoutSynthetic } from './said-model.ts'
import type { ServiceClient } from './service-client.ts'
import { saidByBody } from './service-keys.ts'
import {
  chatHistory,
  itemHistory,
  itemsOf,
  type ModelConversation,
  type ModelTurn,
  splitPrompt,
  turnAt,
  type World
} from './service-model.ts'

/** What a reader asks for. */
export interface Look {
  limit: number
  word: string
  model: string
  tag: string
}

/** Holds every view of a session to the model. */
export async function assertViews(
  client: ServiceClient,
  world: World,
  session: string,
  stranger: string,
  look: Look
): Promise<void> {
  const own = world.conversations.filter((one) => one.session === session)
  const ids = async (query: string) =>
    (await client.list(session, `/conversations?${query}`, look.limit)).map(({ id }) => id)
  const idsOf = (list: ModelConversation[]) => list.map(({ id }) => id)
  deepStrictEqual(await ids('order=asc'), idsOf(own), 'conversations')
  deepStrictEqual(await ids('order=desc'), idsOf(own.toReversed()), 'conversations, newest first')
  const tagged = own.filter(({ metadata }) => metadata.tag === look.tag)
  deepStrictEqual(
    await ids(`order=asc&metadata[tag]=${look.tag}`),
    idsOf(tagged),
    `conversations ${look.tag}`
  )
  const found = own.filter((one) => isFound(one, look.word))
  deepStrictEqual(await ids(`order=asc&q=${encodeURIComponent(look.word)}`), idsOf(found), `q=${look.word}`)
  for (const conversation of own) await assertConversation(client, conversation, stranger, look.limit)
  await assertCompletions(client, world, session, look)
  const mine = world.turns.filter((turn) => turn.conversation.session === session)
  for (const turn of mine)
    if (turn.kind === 'response' && turn.status !== 'failed') await assertResponse(client, turn)
}

function isFound({ title, turns }: ModelConversation, word: string): boolean {
  const texts = turns
    .filter(({ superseded }) => !superseded)
    .flatMap(({ userText, assistantText }) => [userText, assistantText])
  return [title, ...texts].some((text) => text?.toLowerCase().split(/\s+/).join(' ').includes(word))
}

async function assertConversation(
  client: ServiceClient,
  conversation: ModelConversation,
  stranger: string,
  limit: number
): Promise<void> {
  const { id, session, metadata, title, lastSeq } = conversation
  const path = `/conversations/${id}`
  const { json } = await client.call(session, path)
  deepStrictEqual([json.metadata, json.title, json.last_seq], [metadata, title, lastSeq], 'conversation')
  for (const at of [path, `${path}/items`, `${path}/turns`])
    equal((await client.call(stranger, at)).status, 404, `${at} of another session`)

  const all = (await client.call(session, `${path}/turns?limit=100&include=superseded`)).json.data
  deepStrictEqual(all.map(turnView), conversation.turns.map(modelView), 'turns')
  const shown = (await client.call(session, `${path}/turns?limit=100&order=desc`)).json.data
  const counting = conversation.turns.filter(({ superseded }) => !superseded)
  deepStrictEqual(shown.map(turnView), counting.toReversed().map(modelView), 'turns that count')

  const items = await client.list(session, `${path}/items?order=asc`, limit)
  const said = itemsOf(conversation).flatMap(({ asked, answered }) => [...asked, ...answered])
  deepStrictEqual(saidIn(items), said, 'items')
  const back = await client.list(session, `${path}/items?order=desc`, limit)
  deepStrictEqual(back.toReversed(), items, 'items, newest first')
  const one = items.at(limit % Math.max(items.length, 1))
  if (one) deepStrictEqual((await client.call(session, `${path}/items/${one.id}`)).json, one, 'one item')
}

function turnView(turn: JsonObject): JsonObject {
  const { id, seq, parent_seq, kind, status, attempt, superseded, user_text, assistant_text, metadata } = turn
  return {
    id,
    seq,
    parent_seq,
    kind,
    status,
    attempt,
    superseded,
    user_text,
    assistant_text,
    metadata
  } as JsonObject
}

function modelView(turn: ModelTurn): JsonObject {
  const { id, seq, parentSeq, kind, status, attempt, superseded, userText, assistantText, metadata } = turn
  const texts = { user_text: userText, assistant_text: assistantText }
  return { id, seq, parent_seq: parentSeq, kind, status, attempt, superseded, ...texts, metadata }
}

async function assertCompletions(
  client: ServiceClient,
  world: World,
  session: string,
  look: Look
): Promise<void> {
  const kept = world.turns.filter(
    ({ kind, status, conversation }) =>
      kind === 'chat' && status === 'completed' && conversation.session === session
  )
  const filters: [string, (turn: ModelTurn) => boolean][] = [
    ['', () => true],
    [`model=${look.model}`, ({ model }) => model === look.model],
    [`metadata[tag]=${look.tag}`, ({ metadata }) => metadata.tag === look.tag]
  ]
  for (const [query, matches] of filters) {
    const list = kept.filter(matches)
    for (const order of ['asc', 'desc'] as const) {
      const path = `/chat/completions?order=${order}&${query}`
      const data = await client.list(session, path, look.limit)
      const turns = order === 'asc' ? list : list.toReversed()
      deepStrictEqual(
        data.map(saidByBody),
        turns.map(({ answered }) => answered),
        path
      )
      if (order === 'desc') continue
      for (const [index, entry] of data.entries()) {
        const turn = turns[index]
        if (turn) await assertCompletion(client, turn, entry, look.limit)
      }
    }
  }
}

/** A completion under the id that a list shows it by. */
async function assertCompletion(
  client: ServiceClient,
  turn: ModelTurn,
  listed: JsonObject,
  limit: number
): Promise<void> {
  const { session } = turn.conversation
  equal([turn.id, turn.completionId].includes(String(listed.id)), true, `id ${listed.id}`)
  for (const id of [listed.id, turn.id]) {
    const { status, json } = await client.call(session, `/chat/completions/${id}`)
    deepStrictEqual({ status, ...json }, { status: 200, ...listed, id }, `completion ${id} as it is listed`)
  }
  const messages = await client.list(session, `/chat/completions/${turn.id}/messages?order=asc`, limit)
  const { system, dialogue } = chatHistory(before(turn))
  const [prompt, asked] = splitPrompt(turn.asked)
  const sent = [...(prompt.length > 0 ? prompt : system), ...dialogue, ...asked]
  deepStrictEqual(withoutSynthetic(saidIn(messages)), sent, 'messages of a completion')
}

/** The turns in front of a turn, as far as they are still there. */
function before({ conversation, way, seq }: ModelTurn): ModelTurn[] {
  return way.flatMap((one) => (one === seq ? [] : (turnAt(conversation, one) ?? [])))
}

async function assertResponse(client: ServiceClient, turn: ModelTurn): Promise<void> {
  const { session, id: conversationId } = turn.conversation
  for (const id of [turn.completionId, turn.id]) {
    const { status, json } = await client.call(session, `/responses/${id}`)
    deepStrictEqual([status, json.id, json.conversation?.id], [200, id, conversationId], `response ${id}`)
    deepStrictEqual(saidByBody(json), turn.answered, `response ${id}`)
  }
  const items = await client.list(session, `/responses/${turn.id}/input_items?order=asc`, 100)
  const sent: Said[] = [...itemHistory(before(turn)).dialogue, ...turn.asked]
  deepStrictEqual(withoutSynthetic(saidIn(items)), sent, 'input items')
}
