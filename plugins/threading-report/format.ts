import type { JsonObject } from '../../storage/contract.ts'
import { isObject, textOf } from '../../storage/json-value.ts'
import type { Filed } from './replay.ts'

const WIDTH = 60

/** The report: each conversation with its requests, then what was not recorded, then the sums. */
export function formatReport(filed: Filed[], replaced: Set<Filed>): string {
  const lines: string[] = []
  const recorded = filed.filter(({ conversationId }) => conversationId !== null)
  const conversations = Map.groupBy(recorded, ({ conversationId }) => conversationId)
  let number = 0
  for (const requests of conversations.values()) {
    number += 1
    const gone = requests.filter((one) => replaced.has(one)).length
    lines.push(
      `conversation ${number}: ${count(requests.length, 'turn')}${gone > 0 ? `, ${gone} replaced` : ''}`
    )
    for (const request of requests) lines.push(lineOf(request, replaced.has(request) ? 'replaced' : ''))
    lines.push('')
  }
  const others = filed.filter(({ conversationId }) => conversationId === null)
  if (others.length > 0) lines.push('not recorded:')
  for (const request of others) lines.push(lineOf(request, reasonOf(request)))
  if (others.length > 0) lines.push('')
  const matches = Map.groupBy(filed, ({ match }) => match ?? 'none')
  const sums = [...matches].map(([match, requests]) => `${match} ${requests.length}`).sort()
  lines.push(
    `${count(filed.length, 'request')}, ${count(conversations.size, 'conversation')}: ${sums.join(', ')}`
  )
  return `${lines.join('\n')}\n`
}

function reasonOf({ recording, status }: Filed): string {
  if (status >= 300) return `HTTP ${status}`
  return recording.request.store === false ? 'store: false' : ''
}

function lineOf({ recording, match }: Filed, note: string): string {
  const columns = [recording.name.padEnd(24), (match ?? '').padEnd(8), note.padEnd(12)]
  return `  ${columns.join(' ')} ${questionOf(recording.request)}`
}

/** The beginning of what was asked last. */
function questionOf({ messages, input }: JsonObject): string {
  if (typeof input === 'string') return shortened(input)
  const given = messages ?? input
  const entries = Array.isArray(given) ? given.filter(isObject) : []
  const texts = entries.map(({ content, output }) => textOf(content ?? output, ' ') ?? '')
  return shortened(texts.findLast((text) => text.trim() !== '') ?? '')
}

function shortened(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim()
  return line.length > WIDTH ? `${line.slice(0, WIDTH - 1)}…` : line
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
