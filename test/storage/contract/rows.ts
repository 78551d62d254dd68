import type {
  Conversation,
  NewConversation,
  NewTurn,
  Store,
  Turn,
  TurnEnding,
  TurnKey
} from '../../../storage/contract.ts'
import { newId } from '../../../storage/ids.ts'

export const SESSION = 'alice'
const INSTANT = 1_700_000_000_123

export function newConversation(changes: Partial<NewConversation> = {}): NewConversation {
  return {
    id: newId('conv'),
    sessionId: SESSION,
    title: null,
    model: null,
    metadata: {},
    createdAt: INSTANT,
    ...changes
  }
}

/** A turn in a conversation that exists already. */
export function newTurn(conversationId: string, changes: Partial<NewTurn> = {}): NewTurn {
  return {
    id: newId('turn'),
    sessionId: SESSION,
    conversationId,
    create: false,
    kind: 'chat',
    parentSeq: null,
    expectedLastSeq: null,
    maxSeq: null,
    requestHash: null,
    idempotencyKey: null,
    keysSince: 0,
    retrySince: null,
    metadata: {},
    title: null,
    model: null,
    userText: 'Hi',
    detail: null,
    owner: 'here',
    createdAt: INSTANT,
    ...changes
  }
}

export const COMPLETED: TurnEnding = {
  status: 'completed',
  error: null,
  finishReason: 'stop',
  completionId: 'chatcmpl-1',
  model: 'a-model',
  assistantText: 'Hello',
  detail: null
}
export const FAILED: TurnEnding = {
  ...COMPLETED,
  status: 'failed',
  error: 'upstream_error',
  finishReason: null,
  assistantText: null
}
export const CUT_OFF: TurnEnding = { ...FAILED, status: 'incomplete', error: 'upstream_truncated' }

export async function createConversation(
  store: Store,
  changes: Partial<NewConversation> = {}
): Promise<Conversation> {
  return await store.createConversation(newConversation(changes))
}

/** Begins a turn that must succeed, and gives the key to finish it with. */
export async function begin(
  store: Store,
  conversationId: string,
  changes: Partial<NewTurn> = {}
): Promise<TurnKey> {
  const turn = newTurn(conversationId, changes)
  const begun = await store.beginTurn(turn)
  if (begun?.outcome !== 'begun') throw new Error('the turn has not begun')
  return begun.turn
}

/** A whole turn: begun and ended. */
export async function exchange(
  store: Store,
  conversationId: string,
  changes: Partial<NewTurn> = {},
  ending: Partial<TurnEnding> = {}
): Promise<TurnKey> {
  const key = await begin(store, conversationId, changes)
  await store.finishTurn(key, { ...COMPLETED, ...ending })
  return key
}

/** Every turn of a conversation, superseded ones included. */
export async function allTurns(store: Store, conversationId: string, sessionId = SESSION): Promise<Turn[]> {
  const page = { limit: 1000, order: 'asc', includeSuperseded: true } as const
  return (await store.listTurns(sessionId, conversationId, page))?.data ?? []
}

export async function oneTurn(store: Store, key: TurnKey): Promise<Turn | undefined> {
  return (await allTurns(store, key.conversationId)).find((turn) => turn.seq === key.seq)
}

/** 1, 2, … `last`. */
export function seqs(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1)
}
