import { deepStrictEqual, equal } from 'node:assert/strict'
import type { JsonObject } from '../../storage/contract.ts'
import { itemsSaying, messagesSaying, type Said, saidIn, textsOf, withoutSynthetic } from './said-model.ts'
import type { ServiceClient } from './service-client.ts'
import {
  chatHistory,
  endTurn,
  hasGap,
  itemHistory,
  type ModelConversation,
  type ModelTurn,
  splitPrompt,
  titleOf,
  turnAt,
  type World,
  wayTo
} from './service-model.ts'
import type { Ask } from './service-steps.ts'
import { type Answer, saidBy, statusOf } from './service-upstream.ts'

/** What a request is, and what is to come of it. */
export interface Plan {
  session: string
  route: 'chat' | 'response'
  body: JsonObject
  headers: Record<string, string>
  /** Where its turn belongs; null = a new conversation. */
  conversation: ModelConversation | null
  parentSeq: number | null
  /** What the upstream is sent, but for results that nobody gave. */
  sent: Said[]
  /** Whether the history that it is sent is ours. */
  isOurs: boolean
  /** What is kept of it. */
  asked: Said[]
  userText: string | null
}

export function planAsk(world: World, session: string, step: Ask): Plan {
  const { route } = step
  const place = placeOf(world, session, step)
  const { conversation, parentSeq, target } = place
  const before = conversation ? wayTo(conversation, parentSeq) : []
  const history = route === 'chat' ? chatHistory(before) : itemHistory(before)
  const prompt = step.system === null ? [] : [`system: ${step.system}`]
  const results = conversation ? history.open.slice(0, step.results) : []
  const news =
    results.length > 0 ? results.map((id) => `result ${id} ${step.words}`) : [`user: ${step.words}`]
  const headers: Record<string, string> = {}
  const own: JsonObject = {
    model: step.model,
    stream: step.stream || step.answers.some((one) => one.kind.startsWith('cut')),
    ...(step.tag !== '' && { metadata: { tag: step.tag } })
  }
  if (target !== 'after' && parentSeq !== null) headers['x-parent-seq'] = String(parentSeq)
  const common = { session, route, headers, conversation, parentSeq, isOurs: true }

  if (conversation === null || target === 'filed') {
    if (conversation) headers['x-conversation-id'] = conversation.id
    const old = conversation ? history.dialogue : ['user: then', 'assistant: before']
    const said = [...prompt, ...(step.resend > 0 ? old : []), ...news]
    const live = said.slice(said.findLastIndex((one) => /^(assistant|refusal|call)/.test(one)) + 1)
    const body = { ...own, ...questionOf(route, said) }
    const asked = conversation ? live : said
    return { ...common, body, sent: said, isOurs: false, asked, userText: textsOf(live, 'user') }
  }
  const resent = tailOf(history.raw, step.resend)
  const userText = textsOf(news, 'user')
  const at: JsonObject =
    target === 'after'
      ? { previous_response_id: previousId(conversation, parentSeq, step.stream) }
      : { conversation: step.pick % 2 === 0 ? conversation.id : { id: conversation.id } }
  if (route === 'response') {
    const body = { ...own, ...at, ...questionOf(route, [...resent, ...prompt, ...news]) }
    const asked = [...prompt, ...news]
    return { ...common, body, sent: [...history.dialogue, ...asked], asked, userText }
  }
  const system = prompt.length > 0 ? prompt : history.system
  const isKnown = prompt.join('\n') === history.system.join('\n')
  const body = { ...own, ...at, ...questionOf(route, [...prompt, ...resent, ...news]) }
  const asked = isKnown ? news : [...prompt, ...news]
  return { ...common, body, sent: [...system, ...history.dialogue, ...news], asked, userText }
}

/** Where a step goes, given what there is. */
function placeOf(world: World, session: string, { target, route, pick, parent }: Ask) {
  const nowhere = { conversation: null, parentSeq: null, target: 'new' as const }
  const own = world.conversations.filter((one) => one.session === session)
  // The way past a deleted turn is a guess, and so is the one behind an attempt that replaced nothing.
  const isSure = (turn: ModelTurn) =>
    (!turn.superseded || !hasGap(turn.conversation)) &&
    (turn.status === 'completed' || turn.parentSeq === turn.seq - 1)
  if (target === 'after' && route === 'response') {
    const responses = world.turns.filter(
      (turn) =>
        turn.kind === 'response' &&
        turn.status !== 'failed' &&
        own.includes(turn.conversation) &&
        isSure(turn)
    )
    const turn = responses.at(-1 - pick) ?? responses[0]
    return turn ? { conversation: turn.conversation, parentSeq: turn.seq, target } : nowhere
  }
  const conversation = target === 'new' ? undefined : (own.at(-1 - pick) ?? own[0])
  if (!conversation) return nowhere
  const parents = [...conversation.turns.filter(isSure).map(({ seq }) => seq), 0]
  const parentSeq = parent === null ? null : (parents[parent % parents.length] ?? 0)
  return { conversation, parentSeq, target: target === 'after' ? ('continued' as const) : target }
}

/** Both of a response's ids name it. */
function previousId(conversation: ModelConversation, seq: number | null, own: boolean): string {
  const turn = turnAt(conversation, seq ?? 0)
  return (own ? turn?.id : turn?.completionId) ?? ''
}

/** The end of a history, as long as it takes to hold an answer; nothing when there is none. */
function tailOf(said: Said[], count: number): Said[] {
  if (count === 0) return []
  const last = said.findLastIndex((one) => /^(assistant|refusal|call)/.test(one))
  // What a request begins with from the system is its own prompt.
  return last === -1 ? [] : splitPrompt(said.slice(Math.max(0, Math.min(said.length - count, last))))[1]
}

function questionOf(route: 'chat' | 'response', said: Said[]): JsonObject {
  if (route === 'chat') return { messages: messagesSaying(said) }
  const [only = ''] = said
  const plain = said.length === 1 && only.startsWith('user: ')
  return { input: plain ? only.slice('user: '.length) : itemsSaying(said) }
}

/** Sends a request once, and holds what the upstream gets and what is announced to the plan. */
export async function attempt(
  client: ServiceClient,
  world: World,
  plan: Plan,
  answer: Answer,
  earlier: ModelTurn | null,
  headers: Record<string, string>
): Promise<ModelTurn> {
  const { session, route, body } = plan
  const path = route === 'chat' ? '/chat/completions' : '/responses'
  const { reply, call, id } = await client.ask(session, path, body, { ...plan.headers, ...headers }, answer)
  const name = `${route} ${answer.kind}: ${reply.status} ${reply.text.slice(0, 200)}`
  equal(call === null, false, `${name}: the upstream was asked`)
  const sent = JSON.parse(call?.body ?? '{}') as JsonObject
  assertSent(sent, plan)

  const status = statusOf(answer)
  const turn = earlier ?? beginTurn(world, plan, reply.headers)
  if (earlier) turn.attempt += 1
  const announced = ['x-conversation-id', 'x-turn-id', 'x-turn-seq'].map((one) => reply.headers.get(one))
  deepStrictEqual(announced, [turn.conversation.id, turn.id, String(turn.seq)], name)
  turn.status = status
  turn.completionId = status === 'failed' ? null : id
  turn.answered = saidBy(answer)
  turn.assistantText = textsOf(turn.answered, 'assistant')
  endTurn(turn)
  return turn
}

function beginTurn(world: World, plan: Plan, headers: Headers): ModelTurn {
  const metadata = (plan.body.metadata ?? {}) as Record<string, string>
  const conversation = plan.conversation ?? {
    id: headers.get('x-conversation-id') ?? '',
    session: plan.session,
    title: null,
    metadata,
    lastSeq: 0,
    turns: []
  }
  if (!plan.conversation) world.conversations.push(conversation)
  const seq = conversation.lastSeq + 1
  const turn: ModelTurn = {
    id: headers.get('x-turn-id') ?? '',
    conversation,
    seq,
    parentSeq: plan.parentSeq ?? seq - 1,
    kind: plan.route,
    status: 'failed',
    attempt: 1,
    superseded: false,
    way: [...wayTo(conversation, plan.parentSeq).map((one) => one.seq), seq],
    asked: [...plan.asked],
    answered: [],
    userText: plan.userText,
    assistantText: null,
    completionId: null,
    model: String(plan.body.model),
    metadata
  }
  conversation.title ??= titleOf(plan.userText)
  conversation.lastSeq = seq
  conversation.turns.push(turn)
  world.turns.push(turn)
  return turn
}

/** Throws unless the upstream gets what the history says, every call with its result, and nothing that is ours. */
function assertSent(body: JsonObject, { route, sent, isOurs }: Plan): void {
  const { input, messages } = body
  const entries = typeof input === 'string' ? [{ role: 'user', content: input }] : (input ?? messages)
  const said = saidIn(entries as JsonObject[])
  deepStrictEqual(withoutSynthetic(said), sent, 'sent to the upstream')
  const waiting: string[] = []
  for (const one of said) {
    const [verb, id = ''] = one.split(' ')
    if (verb === 'call') waiting.push(id)
    if (verb === 'result') waiting.splice(waiting.indexOf(id), 1)
    if (verb === 'user:' && isOurs) deepStrictEqual(waiting, [], `a call without a result before: ${one}`)
  }
  const ours = ['metadata', 'conversation', 'conversation_id', 'previous_response_id'].filter(
    (one) => one in body
  )
  deepStrictEqual([ours, body.store], [[], route === 'chat' ? undefined : false])
}
