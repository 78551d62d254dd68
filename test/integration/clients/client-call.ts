import type { Test } from 'tap'
import type { Service } from './service.ts'

/** A row of the table: a call as the client's documentation writes it, and what holds for it. */
export interface ClientCall {
  call: string
  /** Holds what the client gets and what is stored. */
  check(t: Test, service: Service): Promise<void>
}

/** A client: its npm package, and the calls of it that are checked. */
export interface Client {
  name: string
  /** The packages whose versions the table names; the first is the client itself. */
  packages: string[]
  calls: ClientCall[]
}

/** `text` in a message of a user. */
export const user = (content: string) => ({ role: 'user' as const, content })

/** A request with the fields of ours that the client's own types do not know. */
export function inConversation<T extends object>(conversation: string, params: T): T {
  return { ...params, conversation } as T
}
