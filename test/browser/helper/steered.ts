import {
  DONE,
  delta,
  finish,
  startSse,
  type UpstreamCallRecord,
  type UpstreamScript
} from '../../helper/upstream.ts'

/** An answer that the test writes. */
export interface SteeredAnswer {
  call: UpstreamCallRecord
  /** Sends a delta; a text is one with that content. */
  write(piece: string | object): void
  end(): void
  /** Closes the connection in the middle of the answer. */
  cut(): void
}

/** An upstream whose answers begin when they are asked for, and then wait for what the test says. */
export function steered(): { script: UpstreamScript; next(): Promise<SteeredAnswer> } {
  const begun: SteeredAnswer[] = []
  const waiting: ((answer: SteeredAnswer) => void)[] = []
  return {
    script(res, call) {
      startSse(res)
      const answer: SteeredAnswer = {
        call,
        write: (piece) => void res.write(delta(typeof piece === 'string' ? { content: piece } : piece)),
        end: () => void res.end(`${finish()}${DONE}`),
        cut: () => void res.destroy()
      }
      const taker = waiting.shift()
      if (taker) taker(answer)
      else begun.push(answer)
    },
    /** The next answer that nobody has taken yet. */
    next() {
      const answer = begun.shift()
      return answer ? Promise.resolve(answer) : new Promise((resolve) => waiting.push(resolve))
    }
  }
}
