import { createStore } from './store.js'

/** @typedef {import('../text/content.js').Part} Part */

/** How often a growing answer is drawn at the most, in milliseconds. */
const DRAWN_EVERY_MS = 40

/**
 * An answer while it comes. Its text is in a store of its own, so that a piece draws the answer and nothing else.
 * @param {AsyncIterable<any>} chunks Of a streamed chat completion.
 */
export function createLiveAnswer(chunks) {
  const store = createStore({ parts: /** @type {Part[]} */ ([]), begun: false })
  let reasoning = ''
  let text = ''
  let refusal = ''
  /** @type {{ id: string | null, name: string, input: string }[]} */
  const calls = []
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer

  function draw() {
    timer = undefined
    const parts = /** @type {Part[]} */ ([
      ...(reasoning ? [{ kind: 'reasoning', text: reasoning }] : []),
      ...(text ? [{ kind: 'text', text }] : []),
      ...(refusal ? [{ kind: 'refusal', text: refusal }] : []),
      ...calls.filter(Boolean).map((call) => ({ kind: 'call', ...call }))
    ])
    store.set({ parts, begun: parts.length > 0 })
  }

  /** @param {any} delta */
  function add(delta) {
    reasoning += asString(delta.reasoning_content ?? delta.reasoning)
    text += asString(delta.content)
    refusal += asString(delta.refusal)
    for (const { index = 0, id, function: called } of delta.tool_calls ?? []) {
      calls[index] ??= { id: id ?? null, name: '', input: '' }
      calls[index].name += asString(called?.name)
      calls[index].input += asString(called?.arguments)
    }
  }

  /** Reads it to its end. Rejects as the stream does; what came until then stays. */
  async function read() {
    try {
      for await (const { choices } of chunks) {
        const first = choices?.find((/** @type {any} */ { index }) => (index ?? 0) === 0)
        if (!first?.delta) continue
        add(first.delta)
        if (!store.get().begun) draw()
        else timer ??= setTimeout(draw, DRAWN_EVERY_MS)
      }
    } finally {
      clearTimeout(timer)
      draw()
    }
  }

  /** What has come until now, as a message. */
  function message() {
    return {
      role: 'assistant',
      content: text,
      ...(reasoning && { reasoning_content: reasoning }),
      ...(refusal && { refusal }),
      ...(calls.length > 0 && {
        tool_calls: calls.filter(Boolean).map(({ id, name, input }) => ({
          id,
          type: 'function',
          function: { name, arguments: input }
        }))
      })
    }
  }

  return { store, read, message }
}

/** @param {unknown} value */
function asString(value) {
  return typeof value === 'string' ? value : ''
}
