import { withFewMarks } from './few-marks.ts'

/** Scripts that put no spaces between words; each of their characters counts as one. */
const UNSPACED =
  '\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}\\p{Script=Thai}\\p{Script=Lao}\\p{Script=Khmer}\\p{Script=Myanmar}'
/** A longer word counts as several, in a text as in a query. */
const WORD = new RegExp(
  `[${UNSPACED}]\\p{M}{0,8}|(?:(?![${UNSPACED}])[\\p{L}\\p{N}\\p{M}\\p{Co}]){1,64}`,
  'gu'
)

/** How much of a text can be found: its beginning, and as many different words; a text of this length is a book. */
const MAX_CHARACTERS = 1_048_576
const MAX_BYTES = 524_288

/** Most text is ASCII, which has one form alone; what it has of words is found in a fifth of the time. */
const ASCII = /^[\0-\x7f]*$/
const ASCII_WORD = /[0-9a-z]{1,64}/g

/**
 * The different words of `text`, as every driver searches them: letters and digits, without regard to case or to the
 * form that Unicode spells them in (NFKC). Signs separate words and are not searched.
 */
export function searchWords(text: string): string[] {
  const read = text.slice(0, MAX_CHARACTERS)
  const [form, word] = ASCII.test(read) ? [read.toLowerCase(), ASCII_WORD] : [folded(read), WORD]
  const words = new Set(form.slice(0, MAX_CHARACTERS).match(word))
  return 3 * form.length <= MAX_BYTES ? [...words] : beginningOf(words)
}

function beginningOf(words: Set<string>): string[] {
  const beginning: string[] = []
  let bytes = 0
  for (const word of words) {
    bytes += Buffer.byteLength(word)
    if (bytes > MAX_BYTES) break
    beginning.push(word)
  }
  return beginning
}

/** Lower case can bring back what NFKC has joined, and makes of a sigma what stands behind it. */
function folded(text: string): string {
  return withFewMarks(text).normalize('NFKC').toLowerCase().replaceAll('ς', 'σ').normalize('NFKC')
}
