/** How the mock upstream answers from now on. */
export type UpstreamMode =
  | { answer: 'json' }
  | {
      answer: 'stream'
      deltas: number
      /** `burst`: all in one write; `chunks`: a write for each, at once; else milliseconds from one to the next. */
      pace: 'burst' | 'chunks' | number
      /** Whether deltas say when they were sent. */
      stamped?: boolean
    }
