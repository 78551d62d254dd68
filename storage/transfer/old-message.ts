import type { Json, JsonObject, TurnErrorCode, TurnStatus } from '../contract.ts'
import { isObject, parseStorableJson, textOf } from '../json-value.ts'
import { isStorable } from '../storable-text.ts'
import type { OldMessage } from './old-database.ts'

/** A message of the older design in OpenAI's shape. */
export interface ReadMessage {
  row: OldMessage
  message: JsonObject
  /** What people read of it. */
  text: string | null
  /** Columns that have no place in the message, as they were; null when there are none. */
  rest: JsonObject | null
  /** Names of columns that do not hold the JSON they should. */
  unreadable: string[]
  /** Ids of the tool calls in it. */
  calls: string[]
}

export function readMessage(row: OldMessage): ReadMessage {
  const rest: JsonObject = {}
  const unreadable: string[] = []
  const isAnswer = row.role === 'assistant'

  /** The value of a column when it fits into the message; else it goes to `rest`. */
  function take(column: string, json: string | null, fits: (value: Json) => boolean): Json | undefined {
    if (json === null || json.trim() === '') return undefined
    const value = parseStorableJson(json)
    if (value === null || (Array.isArray(value) && value.length === 0)) return undefined
    if (value !== undefined && fits(value)) return value
    if (value === undefined) unreadable.push(column)
    rest[column] = value ?? json
    return undefined
  }

  const parts = take('content_json', row.contentJson, (v) => typeof v === 'string' || Array.isArray(v))
  const toolCalls = take('tool_calls', row.toolCalls, (v) => isAnswer && Array.isArray(v))
  const functionCall = take('function_call', row.functionCall, (v) => isAnswer && isObject(v))
  const text = row.content || textOf(parts, isAnswer ? '' : '\n') || row.content
  const callId = row.role === 'tool' ? (row.toolCallId ?? callIdIn(rest)) : null
  const isRead = isAnswer || row.role === 'user'
  if (!isRead && parts !== undefined && row.content && row.content !== textOf(parts, '\n'))
    rest.content = row.content

  return {
    row,
    message: {
      role: row.role,
      ...(callId !== null && { tool_call_id: callId }),
      content: parts ?? row.content,
      ...(toolCalls !== undefined && { tool_calls: toolCalls }),
      ...(functionCall !== undefined && { function_call: functionCall })
    },
    text,
    rest: Object.keys(rest).length > 0 ? { id: row.id, ...rest } : null,
    unreadable,
    calls: Array.isArray(toolCalls) ? toolCalls.flatMap(idOf) : []
  }
}

function idOf(call: Json): string[] {
  return isObject(call) && typeof call.id === 'string' ? [call.id] : []
}

/** The call that a tool's result answers, where its row names it. */
function callIdIn({ content_json, tool_calls }: JsonObject): string | null {
  if (isObject(content_json) && typeof content_json.tool_call_id === 'string')
    return content_json.tool_call_id
  const [call] = [tool_calls].flat()
  if (!isObject(call)) return null
  if (typeof call.tool_call_id === 'string') return call.tool_call_id
  return typeof call.id === 'string' ? call.id : null
}

/** Whether the model asked for something rather than answered. */
export function isToolCall({ message }: ReadMessage): boolean {
  return message.tool_calls !== undefined || message.function_call !== undefined
}

/** A user message that a turn's `userText` says completely. */
export function isPlainQuestion({ message }: ReadMessage): boolean {
  const { role, content, ...others } = message
  const said = typeof content === 'string' && isStorable(content)
  return role === 'user' && said && Object.keys(others).length === 0
}

/** What of an answer a turn's columns cannot say, as the proxy keeps it. */
export function choicesOf({ message, text, row }: ReadMessage): JsonObject[] {
  const { role: _, content, ...others } = message
  const isSaid = content === text && (text === null || isStorable(text))
  const hasContent = !isSaid || (content === null && Object.keys(others).length > 0)
  const kept = { ...(hasContent && { content: content ?? null }), ...others }
  if (Object.keys(kept).length === 0) return []
  return [{ index: 0, message: kept, finish_reason: row.finishReason }]
}

interface Ending {
  status: Exclude<TurnStatus, 'in_progress'>
  error: TurnErrorCode | null
}

/** For a question whose answer is not there: what became of it is not known. */
export const LOST: Ending = { status: 'incomplete', error: 'server_lost' }

/** How a turn with this answer ended; null when its status is none of the known ones. */
export function endingOf(answer: ReadMessage): Ending | null {
  const { status } = answer.row
  if (status === null || status === '' || status === 'final') return { status: 'completed', error: null }
  if (status === 'streaming') return LOST
  if (status !== 'error') return null
  return answer.text || isToolCall(answer)
    ? { status: 'incomplete', error: 'upstream_truncated' }
    : { status: 'failed', error: 'upstream_error' }
}
