/** What the mock upstream says: an answer of 940 characters, whole or as 200 deltas. */
export const ANSWER_CHARACTERS = 940
const WORDS = 'the proxy keeps every turn it passes on so a token costs one read and one write '.split(' ')

/** A text of about `length` characters, the same every time. */
export function proseOf(length: number): string {
  let text = ''
  for (let word = 0; text.length < length; word += 1) text += `${WORDS[word % WORDS.length] ?? ''} `
  return text.slice(0, length)
}

const ID = 'chatcmpl-CgR4m0ckUpStReAm0123456789abc'
const HEAD = { id: ID, created: 1_764_201_600, model: 'gpt-4o-mini-2024-07-18', service_tier: 'default' }
const USAGE = { prompt_tokens: 64, completion_tokens: 200, total_tokens: 264 }

export const JSON_ANSWER = Buffer.from(
  JSON.stringify({
    ...HEAD,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: proseOf(ANSWER_CHARACTERS), refusal: null },
        logprobs: null,
        finish_reason: 'stop'
      }
    ],
    usage: USAGE,
    system_fingerprint: 'fp_0123456789'
  })
)

function event(delta: object, finishReason: string | null = null): string {
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: finishReason }]
  const data = {
    ...HEAD,
    object: 'chat.completion.chunk',
    system_fingerprint: 'fp_0123456789',
    choices,
    usage: null
  }
  return `data: ${JSON.stringify(data)}\n\n`
}

/** One event as one HTTP chunk. */
function frame(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`)
}

const DELTAS = 200
const STAMP = /"content":"[^"]*"/
const parts = Array.from({ length: DELTAS }, (_, at) => {
  const size = ANSWER_CHARACTERS / DELTAS
  return proseOf(ANSWER_CHARACTERS).slice(Math.round(at * size), Math.round((at + 1) * size))
})
const FIRST = frame(event({ role: 'assistant', content: '', refusal: null }))
const MIDDLE = parts.map((content) => frame(event({ content })))
const LAST = [frame(event({}, 'stop')), frame('data: [DONE]\n\n')]

/** The chunks of a stream with so many deltas: with the role before and two more after them. */
export function streamOf(deltas: number): Buffer[] {
  return [FIRST, ...Array.from({ length: deltas }, (_, at) => MIDDLE[at % DELTAS] ?? FIRST), ...LAST]
}

/** A delta that says when it was sent, in microseconds of the machine's clock. */
export function stampedChunk(): Buffer {
  return frame(event({ content: '' }).replace(STAMP, `"content":"t${process.hrtime.bigint() / 1_000n} "`))
}
