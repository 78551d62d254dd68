import type { Persistence } from './persistence.ts'

export type WriteName = 'question' | 'answer'

/** Does a write, and learns how long it takes and what comes of it. It must hand on what the write gives. */
export type WatchWrite = <T>(write: WriteName, work: () => Promise<T>) => Promise<T>

/** The facade as it is, with somebody who watches its two writes. */
export function watchWrites(persistence: Persistence, watch: WatchWrite): Persistence {
  return {
    ...persistence,
    recordUserMessage: (question) => watch('question', () => persistence.recordUserMessage(question)),
    recordAssistantFinal: (turn, answer) =>
      watch('answer', () => persistence.recordAssistantFinal(turn, answer)),
    markError: (turn, ending, answer) => watch('answer', () => persistence.markError(turn, ending, answer))
  }
}
