import { isBroken, openCalls, type Said, textsOf } from './said-model.ts'

/** What the service is to know of a turn: no more than its history tells. */
export interface ModelTurn {
  id: string
  conversation: ModelConversation
  seq: number
  parentSeq: number
  kind: 'chat' | 'response' | 'items'
  status: 'completed' | 'incomplete' | 'failed'
  attempt: number
  superseded: boolean
  /** The seqs of the turns on the way to this one as it was made, itself included. */
  way: number[]
  asked: Said[]
  answered: Said[]
  userText: string | null
  assistantText: string | null
  completionId: string | null
  model: string | null
  metadata: Record<string, string>
}

export interface ModelConversation {
  id: string
  session: string
  title: string | null
  metadata: Record<string, string>
  lastSeq: number
  /** By seq; a deleted one leaves a gap. */
  turns: ModelTurn[]
}

/** Everything that is kept, in the order in which it was made. */
export interface World {
  conversations: ModelConversation[]
  /** In the order of their ids. */
  turns: ModelTurn[]
}

export function turnAt({ turns }: ModelConversation, seq: number): ModelTurn | undefined {
  return turns.find((turn) => turn.seq === seq)
}

/** Whether the numbers of a conversation's turns have a gap. */
export function hasGap({ turns, lastSeq }: ModelConversation): boolean {
  return turns.length < lastSeq
}

/** The turns before one that follows `parentSeq`; null = that is added to what counts now. */
export function wayTo(conversation: ModelConversation, parentSeq: number | null): ModelTurn[] {
  const counting = conversation.turns.filter(({ superseded }) => !superseded)
  if (parentSeq === null) return counting
  const parent = turnAt(conversation, parentSeq)
  if (parent?.superseded) return conversation.turns.filter(({ seq }) => parent.way.includes(seq))
  return counting.filter(({ seq }) => seq <= parentSeq)
}

/** A finished turn that goes back to an older one makes its own way the conversation's. */
export function endTurn(turn: ModelTurn): void {
  if (turn.status !== 'completed' || turn.parentSeq >= turn.seq - 1) return
  for (const other of turn.conversation.turns) other.superseded = !turn.way.includes(other.seq)
}

export function removeTurn(world: World, turn: ModelTurn): void {
  const { conversation } = turn
  world.turns = world.turns.filter((other) => other !== turn)
  conversation.turns = conversation.turns.filter((other) => other !== turn)
}

/** Deletes the `index`th thing that a turn says. */
export function removeSaid(world: World, turn: ModelTurn, index: number): void {
  if (index < turn.asked.length) turn.asked.splice(index, 1)
  else turn.answered.splice(index - turn.asked.length, 1)
  turn.kind = 'items'
  turn.userText = textsOf(turn.asked, 'user')
  turn.assistantText = textsOf(turn.answered, 'assistant')
  if (turn.asked.length + turn.answered.length === 0) removeTurn(world, turn)
}

/** Turns that are shown as items. */
export function itemsOf({ turns }: ModelConversation): ModelTurn[] {
  return turns.filter(({ superseded, status }) => !superseded && status !== 'failed')
}

/** Begins a new answer: in a chat, only the calls of one answer may wait for results together. */
const ANSWER = '|'

/** What a model is sent of turns that are over. */
export interface ModelHistory {
  system: Said[]
  dialogue: Said[]
  /** The same with the results that nobody called for. */
  raw: Said[]
  /** The calls that wait for results. */
  open: string[]
}

/** As OpenAI's chat has it: one system prompt in front, the newest. */
export function chatHistory(turns: ModelTurn[]): ModelHistory {
  let system: Said[] = []
  const said = turns.filter(counts).flatMap(({ asked, answered }) => {
    const [prompt, rest] = splitPrompt(asked)
    if (prompt.length > 0) system = prompt
    return [...rest, ANSWER, ...answered.filter((one) => !isBroken(one))]
  })
  return { system, ...answerable(said, /^(\||user|system|assistant|refusal)/) }
}

export function itemHistory(turns: ModelTurn[]): ModelHistory {
  const said = turns
    .filter(counts)
    .flatMap(({ asked, answered }) => [...asked, ...answered.filter((one) => !isBroken(one))])
  return { system: [], ...answerable(said, /^(user|system)/) }
}

export function splitPrompt(said: Said[]): [Said[], Said[]] {
  const end = said.findIndex((one) => !one.startsWith('system'))
  return end === -1 ? [said, []] : [said.slice(0, end), said.slice(end)]
}

/** What broke off counts where it said something, unless it was to replace what still counts. */
function counts({ status, answered, seq, parentSeq }: ModelTurn): boolean {
  if (status === 'incomplete') return parentSeq === seq - 1 && answered.some((one) => !isBroken(one))
  return status === 'completed'
}

/** Without results whose calls are gone. */
function answerable(said: Said[], ends: RegExp): Omit<ModelHistory, 'system'> {
  const { open, orphans } = openCalls(said, ends)
  const dialogue = said.filter((one, index) => one !== ANSWER && !orphans.has(index))
  return { open, dialogue, raw: said.filter((one) => one !== ANSWER) }
}

/** A title is one line. */
export function titleOf(text: string | null): string | null {
  return text?.replace(/\s+/g, ' ') ?? null
}
