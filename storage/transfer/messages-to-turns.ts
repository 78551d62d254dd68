import type { Json, JsonObject, Turn } from '../contract.ts'
import { importedId } from './imported-id.ts'
import { readInstant } from './instant.ts'
import type { OldMessage } from './old-database.ts'
import {
  choicesOf,
  endingOf,
  isPlainQuestion,
  isToolCall,
  LOST,
  type ReadMessage,
  readMessage
} from './old-message.ts'

/** What could not be taken over as it was, by the message's id. */
export interface Remark {
  id: string
  about: 'role' | 'status' | 'instant' | 'json' | 'tool result'
}

export interface MadeTurns {
  turns: Turn[]
  remarks: Remark[]
}

interface Conversation {
  id: string
  /** Its id in the old database. */
  oldId: string
  createdAt: number
}

type Dated = ReadMessage & { instant: number }

const INPUT_ROLES = new Set(['user', 'system', 'developer', 'tool', 'function'])

/** The turns that a conversation's messages make, which are in their order. */
export function messagesToTurns(conversation: Conversation, messages: OldMessage[]): MadeTurns {
  const turns: Turn[] = []
  const remarks: Remark[] = []
  let waiting: Dated[] = []
  let newest: { inputs: Dated[]; answer: Dated } | null = null
  let openCalls: string[] = []
  let instant = conversation.createdAt

  function add(inputs: Dated[], answer: Dated | null, parentSeq: number, anchor: Dated): void {
    const seq = turns.length + 1
    const ending = answer ? endingOf(answer) : LOST
    if (answer && !ending) remarks.push({ id: answer.row.id, about: 'status' })
    const { status, error } = ending ?? LOST
    if (status === 'completed') {
      for (const turn of turns) if (turn.seq > parentSeq) turn.superseded = true
    }
    turns.push({
      id: importedId('turn', `${conversation.oldId}:${anchor.row.id}`, anchor.instant),
      conversationId: conversation.id,
      seq,
      parentSeq,
      attempt: 1,
      kind: 'chat',
      superseded: false,
      model: null,
      metadata: {},
      userText: userTextOf(inputs),
      assistantText: answer?.text ?? null,
      status,
      finishReason: answer?.row.finishReason ?? null,
      error,
      completionId: null,
      detail: detailOf(inputs, answer),
      createdAt: anchor.instant
    })
    newest = answer && { inputs, answer }
  }

  function addUnanswered(): void {
    const last = waiting.at(-1)
    if (last) add(waiting, null, turns.length, last)
    waiting = []
  }

  function addAnswer(answer: Dated): void {
    const again = waiting.length === 0 && newest !== null && !isToolCall(newest.answer)
    if (again && newest) add(newest.inputs, answer, turns.at(-1)?.parentSeq ?? 0, answer)
    else add(waiting, answer, turns.length, waiting.at(-1) ?? answer)
    waiting = []
    openCalls = answer.calls
  }

  function addInput(input: Dated): void {
    if (input.row.role === 'user' && waiting.some(({ row }) => row.role === 'user')) addUnanswered()
    if (input.row.role === 'tool') {
      // Without an id of its own, a result belongs to the next call in order.
      const known = input.message.tool_call_id ?? openCalls[0]
      openCalls = openCalls.filter((id) => id !== known)
      if (known === undefined) remarks.push({ id: input.row.id, about: 'tool result' })
      else input.message = { role: 'tool', tool_call_id: known, content: input.message.content ?? null }
    }
    waiting.push(input)
  }

  for (const row of messages) {
    if (row.role !== 'assistant' && !INPUT_ROLES.has(row.role)) {
      remarks.push({ id: row.id, about: 'role' })
      continue
    }
    const read = readInstant(row.createdAt)
    if (read === null) remarks.push({ id: row.id, about: 'instant' })
    instant = read ?? instant
    const message = { ...readMessage(row), instant }
    if (message.unreadable.length > 0) remarks.push({ id: row.id, about: 'json' })
    if (row.role === 'assistant') addAnswer(message)
    else addInput(message)
  }
  addUnanswered()
  return { turns, remarks }
}

function userTextOf(inputs: Dated[]): string | null {
  const texts = inputs.flatMap(({ row, text }) => (row.role === 'user' && text !== null ? [text] : []))
  return texts.length > 0 ? texts.join('\n\n') : null
}

function detailOf(inputs: Dated[], answer: Dated | null): JsonObject | null {
  const [first] = inputs
  const isPlain = inputs.length === 1 && first !== undefined && isPlainQuestion(first)
  const choices = answer ? choicesOf(answer) : []
  const rest = [...inputs, ...(answer ? [answer] : [])].flatMap((message) => message.rest ?? [])
  const detail = {
    ...(!isPlain && { input: inputs.map(({ message }) => message) as Json }),
    ...(choices.length > 0 && { choices }),
    ...(rest.length > 0 && { imported: rest })
  }
  return Object.keys(detail).length > 0 ? detail : null
}
