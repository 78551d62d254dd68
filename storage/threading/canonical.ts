import { hash } from 'node:crypto'
import type { Json, JsonObject } from '../contract.ts'
import { withFewMarks } from '../few-marks.ts'
import { isObject, parseStorableJson } from '../json-value.ts'

/** What was said at one place of a dialogue, in a form that does not change on the way through a client. */
export interface Said {
  by: 'user' | 'assistant' | 'result'
  /** In words. */
  words: string
  /** Calls and media, one after the other; empty where there are none. */
  others: string
  /** The index after it, in the list of messages or items that it comes from. */
  end: number
}

/**
 * What the messages of a chat, or the items of a response, say to each other. Instructions to the model, reasoning and
 * ids are left out; what an assistant says in several messages or items, with nothing in between, is one.
 */
export function dialogueOf(entries: JsonObject[]): Said[] {
  const dialogue: Said[] = []
  for (const [index, entry] of entries.entries()) {
    const by = speakerOf(entry)
    if (by === null) continue
    const said = { by, words: wordsOf(entry, by), others: othersOf(entry), end: index + 1 }
    const last = dialogue.at(-1)
    if (by === 'assistant' && last?.by === 'assistant') dialogue[dialogue.length - 1] = joined(last, said)
    else if (by !== 'assistant' || said.words !== '' || said.others !== '') dialogue.push(said)
  }
  return dialogue
}

/** Nothing is copied here: there may be very many in a row. */
function joined(first: Said, second: Said): Said {
  const between = first.words === '' || second.words === '' ? '' : '\n'
  const words = first.words + between + second.words
  return { by: 'assistant', words, others: first.others + second.others, end: second.end }
}

function speakerOf({ type = 'message', role }: JsonObject): Said['by'] | null {
  if (type === 'function_call' || type === 'custom_tool_call') return 'assistant'
  if (type === 'function_call_output' || type === 'custom_tool_call_output') return 'result'
  if (type !== 'message') return null
  if (role === 'tool' || role === 'function') return 'result'
  return role === 'user' || role === 'assistant' ? role : null
}

/** The texts of an entry, joined, as they are compared: see `normalized`. */
function wordsOf(entry: JsonObject, by: Said['by']): string {
  const content = entry.content ?? entry.output
  const texts =
    typeof content === 'string'
      ? [content]
      : partsOf(content).flatMap(({ text, refusal }) => [text, refusal].filter(isText))
  if (isText(entry.refusal)) texts.push(entry.refusal)
  const text = texts.join('')
  return normalized(by === 'assistant' ? withoutThoughts(text) : text)
}

/** ASCII is in every normal form already. */
const ASCII = /^[\0-\x7f]*$/

/** The text with line ends as LF, in the normal form NFC, and without white space around it. */
export function normalized(text: string): string {
  const lines = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
  return (ASCII.test(lines) ? lines : withFewMarks(lines).normalize('NFC')).trim()
}

const OPEN = '<think>'
const CLOSE = '</think>'

/** Some models think aloud, and some clients take that out of what they send back. A thought without an end stays. */
function withoutThoughts(text: string): string {
  const kept: string[] = []
  let at = 0
  for (;;) {
    const start = text.indexOf(OPEN, at)
    const end = start === -1 ? -1 : text.indexOf(CLOSE, start)
    if (end === -1) return kept.join('') + text.slice(at)
    kept.push(text.slice(at, start))
    at = end + CLOSE.length
  }
}

function othersOf(entry: JsonObject): string {
  const media = partsOf(entry.content ?? entry.output).flatMap(mediumOf)
  return [...callsOf(entry), ...media].map((one) => `\n${one.length}:${one}`).join('')
}

/** The calls of an assistant: names and arguments, without ids. */
function callsOf(entry: JsonObject): string[] {
  if (entry.name !== undefined && speakerOf(entry) === 'assistant' && entry.type !== undefined)
    return [call(entry.name, entry.arguments ?? entry.input)]
  const calls = Array.isArray(entry.tool_calls) ? entry.tool_calls.filter(isObject) : []
  const old = isObject(entry.function_call) ? [{ function: entry.function_call }] : []
  return [...calls, ...old].map((made: JsonObject) => {
    const given = isObject(made.function) ? made.function : isObject(made.custom) ? made.custom : {}
    return call(given.name, given.arguments ?? given.input)
  })
}

function call(name: Json | undefined, given: Json | undefined): string {
  const text = isText(given) ? given : JSON.stringify(given ?? {})
  const value = parseStorableJson(text === '' ? '{}' : text)
  const called = isText(name) ? name : JSON.stringify(name ?? null)
  return `call ${called} ${value === undefined ? text.trim() : JSON.stringify(sorted(value))}`
}

/** The value with the members of its objects in the order of their names. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((name) => [name, sorted(value[name] ?? null)])
  )
}

/** A part that is no text; an image by its bytes, where it is sent with them. */
function mediumOf(part: JsonObject): string[] {
  if (isText(part.text) || isText(part.refusal)) return []
  const image = isObject(part.image_url) ? part.image_url.url : part.image_url
  if (!isText(image)) return [`part ${hash('sha256', JSON.stringify(sorted(part)))}`]
  const comma = image.startsWith('data:') ? image.indexOf(';base64,') : -1
  if (comma === -1) return [`image ${image}`]
  return [`image ${hash('sha256', Buffer.from(image.slice(comma + ';base64,'.length), 'base64'))}`]
}

function partsOf(content: Json | undefined): JsonObject[] {
  return Array.isArray(content) ? content.filter(isObject) : []
}

function isText(value: Json | undefined): value is string {
  return typeof value === 'string'
}
