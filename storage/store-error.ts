import type { TurnKey } from './contract.ts'

export type StoreErrorCode =
  | 'STORE_UNAVAILABLE'
  | 'STORE_UNCERTAIN'
  | 'STORE_CORRUPT'
  | 'STORE_SCHEMA'
  | 'PARENT_INVALID'
  | 'CONVERSATION_BUSY'
  | 'CONVERSATION_FULL'
  | 'SESSION_FULL'

/** An error of the store: a code to branch on, the driver's own error as the cause. */
export class StoreError extends Error {
  readonly code: StoreErrorCode
  /** Of `beginTurn`'s `STORE_UNCERTAIN`: the turn that may have begun, where its id is not the one given. */
  turn?: TurnKey

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'StoreError'
    this.code = code
  }
}
