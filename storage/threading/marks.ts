import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { JsonObject, Turn } from '../contract.ts'
import { answerMessages, outputItems } from '../dialogue/turn-content.ts'
import type { Answer } from '../persistence.ts'
import { dialogueOf, type Said } from './canonical.ts'

/** Of the canonical form and of the marks: what is made otherwise must not be found as the same. */
const VERSION = 'v1'
/** 132 bits. */
const LENGTH = 22
/** What the mark of an answer begins with that is not words alone. */
const CALLS = 'calls '

export function isOfCalls(answerMark: string): boolean {
  return answerMark.startsWith(CALLS)
}

/** Makes the marks of one person's, or one session's, dialogues. */
export interface Marker {
  asked(digest: string): string
  tip(digest: string): string
  answer(said: Said): string
  /** A name that somebody else has for a conversation. */
  external(name: string, value: string): string
}

/** Of how many sessions the keys are remembered. */
const MAX_KEYS = 1_000

/**
 * Marks under a key that is the session's own: what they were made of cannot be guessed from them without the store's
 * `secret`. Those of two end users of one session have nothing in common.
 */
export function createMarkers(secret: string): (sessionId: string, endUser: string | null) => Marker {
  // Keys as bytes would be looked at anew for each mark, which takes longer than the mark.
  const master = createSecretKey(secret, 'utf8')
  const keys = new LRUCache<string, KeyObject>({ max: MAX_KEYS })

  function keyOf(sessionId: string): KeyObject {
    const known = keys.get(sessionId)
    if (known) return known
    const key = createSecretKey(createHmac('sha256', master).update(`${VERSION}\n${sessionId}`).digest())
    keys.set(sessionId, key)
    return key
  }

  return (sessionId, endUser) => {
    const key = keyOf(sessionId)
    const scope = endUser === null ? '' : hash('sha256', endUser)
    const mark = (kind: string, what: string): string =>
      createHmac('sha256', key).update(`${VERSION} ${kind}\n${what}`).digest('base64url').slice(0, LENGTH)
    return {
      asked: (digest) => mark('asked', `${scope}\n${digest}`),
      tip: (digest) => mark('tip', `${scope}\n${digest}`),
      answer({ words, others }) {
        const plain = mark('answer', `${scope}\n${words.length}:${words}${others}`)
        return others === '' ? plain : CALLS + plain
      },
      external: (name, value) => mark('external', `${scope}\n${name}\n${value}`)
    }
  }
}

/** The digest of a dialogue, from that of what was said before. */
function digestAfter(before: string, { by, words, others }: Said): string {
  return hash('sha256', `${before}${by}\n${words.length}:${words}${others}`)
}

/** Of each beginning of a dialogue its digest: first that of nothing, last that of all. */
export function digestsOf(dialogue: Said[]): string[] {
  const digests = ['']
  for (const said of dialogue) digests.push(digestAfter(digests.at(-1) ?? '', said))
  return digests
}

/** What a turn is found by: the mark of its request, and those of its answer as soon as there is one. */
export interface RequestMarks {
  readonly asked: string
  of(answer: Answer): { tipMark: string | null; answerMark: string | null }
}

/**
 * The marks of a request whose dialogue has these `digests`. `beginning` is what it has of the answer already, at its end;
 * what a client sends back is one text.
 */
export function requestMarks(
  marker: Marker,
  kind: Turn['kind'],
  digests: string[],
  beginning: string | null
): RequestMarks {
  const before = digests.at(beginning === null ? -1 : -2) ?? ''
  return {
    asked: marker.asked(digests.at(-1) ?? ''),
    of(answer) {
      const text = beginning === null ? answer.text : joined(beginning, answer.text ?? '')
      const [said] = dialogueOf(answerEntries(kind, { ...answer, text }))
      if (!said) return { tipMark: null, answerMark: null }
      return { tipMark: marker.tip(digestAfter(before, said)), answerMark: marker.answer(said) }
    }
  }
}

/** Some upstreams say the beginning again. */
function joined(beginning: string, text: string): string {
  return text.startsWith(beginning) ? text : beginning + text
}

function answerEntries(kind: Turn['kind'], { text, finishReason, output }: Answer): JsonObject[] {
  const turn = { kind, userText: null, assistantText: text, finishReason, detail: output }
  return kind === 'chat' ? answerMessages(turn) : outputItems(turn).filter((item) => item !== null)
}
