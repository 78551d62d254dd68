/** Picks, in an order that a seed fixes. */
export interface Dice {
  /** In [0, 1). */
  next(): number
  /** A whole number below `count`. */
  below(count: number): number
  /** True once in `times`. */
  once(times: number): boolean
  of<T>(list: readonly T[]): T
}

export function diceOf(random: () => number): Dice {
  const below = (count: number) => Math.floor(random() * count)
  return {
    next: random,
    below,
    once: (times) => below(times) === 0,
    of: (list) => list[below(list.length)] as (typeof list)[number]
  }
}

const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth))

/** Stands for JSON text that no value is written as; see `toText`. */
const verbatim = (text: string) => `@@${text}@@`

/** What a field may hold instead of what it should. */
export const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  0.5,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  Number.MIN_VALUE,
  verbatim('1e309'),
  verbatim('-1e309'),
  verbatim('123456789012345678901234567890'),
  verbatim('1.00000000000000000000000000001'),
  verbatim('-0'),
  '',
  ' ',
  'x',
  '0',
  'true',
  '[object Object]',
  '\0',
  'a\0b',
  '\ud800',
  'a\udc00b',
  '\u202e\u0000\ufeff',
  '😀'.repeat(50),
  'x'.repeat(5_000),
  '\r\nset-cookie: a=b',
  "'; drop table turns; --",
  '%s%n%x',
  '../../etc/passwd',
  '__proto__',
  'constructor',
  [],
  [null],
  [[]],
  [1, 'a', {}],
  {},
  { id: null },
  { id: 'x' },
  { a: { b: { c: {} } } },
  { length: 1e9 },
  { toString: null, valueOf: null },
  { toJSON: 1 },
  JSON.parse('{"then":1}'),
  { constructor: { name: 'x' } },
  { type: 'text', text: 'x' },
  Array(300).fill(0),
  nested(63),
  nested(70),
  nested(300)
]

/** What may stand in a path or a query where an id or a number should. */
export const ODD_TEXTS: readonly string[] = [
  '',
  '0',
  '-1',
  '0.5',
  '1e309',
  'NaN',
  '10 ',
  '0x10',
  '99999999999999999999',
  '٣',
  'true',
  'null',
  'undefined',
  '[]',
  '.',
  '..',
  '../..',
  '..%2f..%2f',
  '%2e%2e%2f',
  '%00',
  'a%00b',
  '%',
  '%zz',
  '%ff%fe',
  '%c0%ae%c0%ae',
  '%ed%a0%80',
  '%E2%80%AE',
  '%0d%0aset-cookie:a=b',
  '\\',
  '/',
  '//',
  ';a=b',
  '*',
  ':id',
  '@',
  'CON',
  'nul.json',
  'conv_',
  `conv_${'0'.repeat(32)}`,
  `conv_${'f'.repeat(32)}`,
  `conv_${'G'.repeat(32)}`,
  `turn_${'0'.repeat(32)}`,
  `item_${'0'.repeat(32)}`,
  'msg_1',
  'resp_1',
  'chatcmpl-1',
  'x'.repeat(4_096),
  '__proto__',
  'constructor',
  'toString',
  "' or 1=1 --",
  '<script>',
  '{{7*7}}',
  '😀',
  'é'
]

/** JSON text of a value, with its verbatim parts. */
export function toText(value: unknown): string {
  return (JSON.stringify(value) ?? 'null').replaceAll(/"@@([^"@]*)@@"/g, '$1')
}
