import { StoreError } from '../store-error.ts'

/** Throws `CONVERSATION_FULL` when `seq` is above `maxSeq`; null = any number. */
export function assertSeq(seq: number, maxSeq: number | null): void {
  if (maxSeq !== null && seq > maxSeq)
    throw new StoreError('CONVERSATION_FULL', `the conversation may not have a turn ${seq}`)
}
