import { setTimeout as sleep } from 'node:timers/promises'
import type { BegunTurn, JsonObject, NewTurn, Store, TurnEnding, TurnErrorCode, TurnKey } from './contract.ts'
import { newId } from './ids.ts'
import { hasRoom, type Limits, sessionFull } from './room.ts'
import { StoreError } from './store-error.ts'
import type { RequestMarks } from './threading/marks.ts'
import { titleOf } from './title.ts'

/** What a client asked, as it is kept. */
export interface Question
  extends Pick<
    NewTurn,
    | 'sessionId'
    | 'kind'
    | 'parentSeq'
    | 'expectedLastSeq'
    | 'model'
    | 'metadata'
    | 'userText'
    | 'externalKey'
    | 'keepsInput'
    | 'conversationMetadata'
  > {
  /** The conversation to file the turn in; null starts a new one. */
  conversationId: string | null
  /** By what the request is known when it is made again. */
  request: Pick<NewTurn, 'requestHash' | 'idempotencyKey' | 'keysSince' | 'retrySince'>
  /** The exact input messages where `userText` alone does not say them; else null. */
  input: JsonObject | null
  /** By what later requests find the turn; null where none is to. */
  marks?: RequestMarks | null | undefined
}

/** What the upstream answered, whole or as far as it came. */
export interface Answer {
  text: string | null
  finishReason: string | null
  completionId: string | null
  /** The model that answered, where it says so. */
  model: string | null
  /** What text alone cannot say of the answer; null for plain text. */
  output: JsonObject | null
}

/** A turn under way. The caller holds it: the facade remembers nothing. */
export interface TurnRef extends TurnKey {
  readonly input: JsonObject | null
  /** Undefined where what is stored may be another. */
  readonly userText: string | null | undefined
  readonly marks: RequestMarks | null
}

/** A turn that began, or one that an idempotency key was met on again. */
export type Recorded = { outcome: 'begun'; turn: TurnRef } | Extract<BegunTurn, { outcome: 'known' }>

/**
 * The only way in which a request is recorded: one write for the question, one for the whole answer.
 * Rejections are `StoreError`s.
 */
export interface Persistence {
  /** Makes the store ready and ends the turns that this instance left running when it died. */
  initialize(): Promise<void>
  /**
   * Write 1: inserts the turn as `in_progress`, or begins it anew when the request was made before and failed.
   * Resolves to null when the conversation is not there for this session. Rejects as `beginTurn` does.
   */
  recordUserMessage(question: Question): Promise<Recorded | null>
  /** Write 2 of a turn that completed. False when the turn has been deleted or has ended already. */
  recordAssistantFinal(turn: TurnRef, answer: Answer): Promise<boolean>
  /** Write 2 of a turn that did not complete, with the answer as far as it came. False as above. */
  markError(turn: TurnRef, ending: FailedEnding, answer: Answer): Promise<boolean>
  /** Waits for writes under way and closes the store. */
  cleanup(): Promise<void>
}

export interface FailedEnding {
  status: 'incomplete' | 'failed'
  error: TurnErrorCode
}

export interface PersistenceOptions extends Limits {
  /** Name of this process, the same after a restart. */
  owner: string
  /** How long write 2 is tried again when the store is unavailable. */
  finalWriteTimeoutMs: number
}

const RETRY_MS = 50
const MAX_RETRY_MS = 1_000
/** How long a turn that may have begun is looked for. */
const ABANDON_MS = 600_000

export function createPersistence(store: Store, options: PersistenceOptions): Persistence {
  let closing = false

  /**
   * Tries until the store takes it: an answer that was paid for is not lost to an outage. The caller hears of
   * failure after `finalWriteTimeoutMs`; the tries go on behind its back as long as the process lives.
   */
  async function finish(turn: TurnRef, answer: Answer, ending: FailedEnding | null): Promise<boolean> {
    const { promise: outOfPatience, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(
      () => reject(new StoreError('STORE_UNAVAILABLE', 'the final write took too long')),
      options.finalWriteTimeoutMs
    )
    const written = persist(turn, toEnding(turn, answer, ending))
    return await Promise.race([written, outOfPatience]).finally(() => clearTimeout(timer))
  }

  async function persist(turn: TurnRef, ending: TurnEnding): Promise<boolean> {
    for (let waitMs = RETRY_MS; ; waitMs = Math.min(waitMs * 2, MAX_RETRY_MS)) {
      try {
        // Trying again does no harm where an earlier try did happen: only a running turn is ended.
        return await store.finishTurn(turn, ending)
      } catch (err) {
        if (closing || !isPassing(err)) throw err
        await sleep(waitMs)
      }
    }
  }

  /**
   * Ends a turn whose write 1 may have happened although it failed: its client was refused, this process
   * lives, and so nobody else would ever end it. Tries until the store answers.
   */
  async function abandon(sessionId: string, { id, attempt }: Pick<TurnKey, 'id' | 'attempt'>): Promise<void> {
    const giveUpAt = performance.now() + ABANDON_MS
    while (!closing && performance.now() < giveUpAt) {
      try {
        const turn = await store.findTurn(sessionId, { id })
        if (turn && turn.attempt > attempt) return
        if (turn?.attempt === attempt) {
          if (turn.status === 'in_progress')
            await store.finishTurn(turn, { ...turn, status: 'incomplete', error: 'server_lost' })
          return
        }
      } catch (err) {
        if (!isPassing(err)) return
      }
      await sleep(MAX_RETRY_MS) // not to see it is no proof: its commit may still be on the way
    }
  }

  return {
    async initialize() {
      await store.initialize()
      await store.recoverTurns(options.owner)
      await store.beat(options.owner)
    },

    async recordUserMessage(question) {
      const { request, input, marks = null, ...rest } = question
      const isNew = question.conversationId === null
      const full = isNew && !(await hasRoom(store, question.sessionId, options))
      const id = newId('turn')
      const conversationId = question.conversationId ?? newId('conv')
      const begin = store.beginTurn({
        ...rest,
        ...request,
        id,
        conversationId,
        create: isNew && !full, // a request that is made again takes no room, and is found all the same
        maxSeq: options.maxTurns,
        title: titleOf(question.userText),
        detail: input,
        askedMark: marks?.asked,
        owner: options.owner,
        createdAt: Date.now()
      })
      const begun = await begin.catch((err) => {
        if (err instanceof StoreError && err.code === 'STORE_UNCERTAIN') {
          void abandon(question.sessionId, err.turn ?? { id, attempt: 1 })
        }
        throw err
      })
      if (begun === null && full) throw sessionFull()
      if (begun?.outcome !== 'begun') return begun
      const userText = begun.turn.attempt === 1 ? question.userText : undefined
      return {
        outcome: 'begun',
        turn: { ...begun.turn, input: begun.input === undefined ? input : begun.input, userText, marks }
      }
    },

    recordAssistantFinal: (turn, answer) => finish(turn, answer, null),
    markError: (turn, ending, answer) => finish(turn, answer, ending),
    cleanup() {
      closing = true
      return store.close()
    }
  }
}

/** Whether an error of the store may pass by itself. */
function isPassing(err: unknown): boolean {
  return err instanceof StoreError && (err.code === 'STORE_UNAVAILABLE' || err.code === 'STORE_UNCERTAIN')
}

function toEnding(turn: TurnRef, answer: Answer, ending: FailedEnding | null): TurnEnding {
  return {
    status: ending?.status ?? 'completed',
    error: ending?.error ?? null,
    finishReason: answer.finishReason,
    completionId: answer.completionId,
    model: answer.model,
    assistantText: answer.text,
    detail: turn.input || answer.output ? { ...turn.input, ...answer.output } : null,
    ...turn.marks?.of(answer)
  }
}
