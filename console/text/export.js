import { answersOf, questionOf } from './content.js'

/**
 * @typedef {import('../../client/index.d.ts').Turn} Turn
 * @typedef {import('../../client/index.d.ts').Conversation} Conversation
 * @typedef {import('./content.js').Part} Part
 */

const NAMES = /** @type {Record<string, string>} */ ({
  user: 'User',
  assistant: 'Assistant',
  system: 'System',
  developer: 'System',
  tool: 'Tool'
})

/** Everything that is stored, as the API has it. @param {Conversation} conversation @param {Turn[]} turns */
export function toJson(conversation, turns) {
  return `${JSON.stringify({ conversation, turns }, null, 2)}\n`
}

/** What a person would read; turns that were replaced are left out. @param {Conversation} conversation @param {Turn[]} turns */
export function toMarkdown(conversation, turns) {
  const told = turns.filter(({ superseded }) => !superseded).flatMap(turnBlocks)
  return `${[`# ${oneLine(conversation.title ?? 'Untitled')}`, ...told].join('\n\n')}\n`
}

/** @param {Turn} turn @returns {string[]} */
function turnBlocks(turn) {
  const asked = questionOf(turn).flatMap(({ role, parts }) => blocks(NAMES[role] ?? role, parts))
  const answered = answersOf(turn).flatMap((parts) => blocks('Assistant', parts))
  const ended = turn.error === null ? [] : [`*${turn.status}: ${turn.error}*`]
  return [...asked, ...answered, ...ended]
}

/** @param {string} name @param {Part[]} parts */
function blocks(name, parts) {
  return parts.length === 0 ? [] : [`## ${name}`, ...parts.map(block)]
}

/** @param {Part} part */
function block(part) {
  if (part.kind === 'text' || part.kind === 'refusal') return part.text
  if (part.kind === 'reasoning') return part.text.replaceAll(/^/gm, '> ')
  if (part.kind === 'call') return `**Called ${oneLine(part.name)}**\n\n${fenced(part.input, 'json')}`
  if (part.kind === 'result') return `**Result**\n\n${fenced(part.output, '')}`
  if (part.kind === 'file') return `*File: ${oneLine(part.name)}*`
  return part.url.startsWith('data:')
    ? '*An image*'
    : `![image](<${part.url.replaceAll(/[<>\s]/g, encodeURIComponent)}>)`
}

/** With a fence that is longer than any in the text. @param {string} text @param {string} language */
function fenced(text, language) {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${text}\n${fence}`
}

/** @param {string} text */
function oneLine(text) {
  return text.replaceAll(/\s+/g, ' ').trim()
}
