import { type Dice, ODD_VALUES, toText } from './odd.ts'

export interface FuzzBody {
  text: string | undefined
  type: string | undefined
}

type Tree = Record<string, unknown> | unknown[]

/** Bodies that would be served, by the end of the route's URL. */
function validBody(dice: Dice, url: string, knownId: () => string): Record<string, unknown> {
  const said = dice.of(['Hi', 'Grüße 😀', 'a longer question '.repeat(20), '\ud83d'])
  const item = { type: 'message', role: 'user', content: [{ type: 'input_text', text: said }] }
  const place = dice.of([
    {},
    {},
    { conversation: knownId() },
    { conversation: { id: knownId() } },
    { conversation_id: knownId() }
  ])
  const common = { model: 'm', stream: dice.once(2), metadata: { a: 'b' }, store: !dice.once(4), ...place }
  const tool = { type: 'function', function: { name: 'f', arguments: '{}' }, id: 'call_1' }
  const history = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: [{ type: 'text', text: said }] },
    { role: 'assistant', content: null, tool_calls: [tool] },
    { role: 'tool', tool_call_id: 'call_1', content: 'result' }
  ]
  if (url.endsWith('/chat/completions'))
    return dice.of([
      { ...common, messages: [{ role: 'user', content: said }] },
      { ...common, messages: history, tools: [tool], n: 1 + dice.below(3) }
    ])
  if (url.endsWith('/responses'))
    return dice.of([
      { ...common, input: said },
      { ...common, input: [item] },
      { model: 'm', input: [item], previous_response_id: knownId() }
    ])
  if (url.endsWith('/embeddings')) return { model: 'm', input: [said] }
  if (url.endsWith('/items')) return { items: [item, { ...item, role: 'assistant' }] }
  if (url.endsWith('/conversations')) return { metadata: { a: 'b' }, title: said, items: [item] }
  return dice.of([{ metadata: { a: 'c' } }, { title: said }, { pinned: dice.once(2) }])
}

/** All the places in a value that hold something. */
function placesOf(value: unknown): { parent: Tree; key: string }[] {
  if (typeof value !== 'object' || value === null) return []
  const parent = value as Tree
  return Object.entries(parent).flatMap(([key, child]) => [{ parent, key }, ...placesOf(child)])
}

function mutate(dice: Dice, body: Record<string, unknown>, names: readonly string[]): void {
  const place = dice.of(placesOf(body))
  const target = place?.parent as Record<string, unknown> | undefined
  if (!place || !target) return
  switch (dice.below(6)) {
    case 0:
      delete target[place.key]
      break
    case 1:
      target[place.key] = [target[place.key]]
      break
    case 2:
      if (names.length > 0) body[dice.of(names)] = structuredClone(dice.of(ODD_VALUES))
      break
    default:
      target[place.key] = structuredClone(dice.of(ODD_VALUES))
  }
}

const KEYS = [
  '"__proto__":{"polluted":1}',
  '"__proto__":null',
  '"\\u005f_proto__":{"polluted":1}',
  '"constructor":{"prototype":{"polluted":1}}',
  '"constructor":1',
  '"messages":[]',
  '"messages":null',
  '"stream":true,"stream":false',
  '"conversation":"x","conversation":null',
  '"metadata":{"a":"1","a":"2","__proto__":"3"}',
  '"":1',
  '"\\ud800":"\\udfff"',
  '"a":"\\u0000"',
  '"a":1e999999',
  `"a":${'['.repeat(100)}${']'.repeat(100)}`,
  `"a":${'{"a":'.repeat(1_000)}1${'}'.repeat(1_000)}`
]

const TEXTS = [
  '',
  ' ',
  'null',
  '[]',
  '"s"',
  '1',
  'true',
  '{}',
  '[{}]',
  '{',
  '}',
  '{"a"',
  '{"a":}',
  '{"a":1,}',
  "{'a':1}",
  'NaN',
  '\0',
  '\ufeff{}',
  '{}{}',
  '{}\n{}',
  '[1,2',
  '"\ud800"',
  '{"a":"\n"}',
  '{"a":01}',
  'a=b&c=d',
  '<a/>',
  '['.repeat(10_000),
  `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
  'x'.repeat(300_000)
]

const TYPES = [
  'application/json; charset=utf-16',
  'application/json;charset=latin1;x="y',
  'APPLICATION/JSON',
  'text/plain',
  'text/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/octet-stream',
  'application/vnd.api+json',
  'application',
  '/',
  ';',
  '*/*',
  'a'.repeat(2_000),
  ''
]

/** A body for a route whose schemas speak of `names`. */
export function randomBody(
  dice: Dice,
  url: string,
  names: readonly string[],
  knownId: () => string
): FuzzBody {
  const type = dice.once(25) ? dice.of([...TYPES, undefined]) : 'application/json'
  const kind = dice.below(10)
  if (kind === 0) return { text: dice.of(TEXTS), type }
  if (kind === 1) return { text: undefined, type: dice.once(2) ? type : undefined }
  const body = validBody(dice, url, knownId)
  if (kind === 2)
    return {
      text: toText(Object.fromEntries(names.map((name) => [name, structuredClone(dice.of(ODD_VALUES))]))),
      type
    }
  if (kind < 8) for (let count = dice.below(3); count >= 0; count--) mutate(dice, body, names)
  const text = toText(body)
  if (kind === 8) return { text: `{${dice.of(KEYS)},${text.slice(1)}`.replace(/,}$/, '}'), type }
  if (kind === 7 && dice.once(3)) return { text: text.slice(0, dice.below(text.length)), type }
  return { text, type }
}
