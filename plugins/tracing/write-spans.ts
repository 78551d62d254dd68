import { type Context, context, type Tracer, trace } from '@opentelemetry/api'
import type { Persistence, TurnRef } from '../../storage/persistence.ts'

/** Puts a span around each of the two writes of a turn. */
export function traceWrites(persistence: Persistence, tracer: Tracer): Persistence {
  /** Where turns began: their answers come on a connection that other requests have used before. */
  const begun = new WeakMap<TurnRef, Context>()

  async function inSpan<T>(name: string, parent: Context, work: () => Promise<T>): Promise<T> {
    const span = tracer.startSpan(name, {}, parent)
    try {
      return await context.with(trace.setSpan(parent, span), work)
    } catch (err) {
      span.setStatus({ code: 2 })
      throw err
    } finally {
      span.end()
    }
  }

  function answer(turn: TurnRef, work: () => Promise<boolean>): Promise<boolean> {
    return inSpan('write answer', begun.get(turn) ?? context.active(), work)
  }

  return {
    ...persistence,
    async recordUserMessage(question) {
      const parent = context.active()
      const recorded = await inSpan('write question', parent, () => persistence.recordUserMessage(question))
      if (recorded?.outcome === 'begun') begun.set(recorded.turn, parent)
      return recorded
    },
    recordAssistantFinal: (turn, given) => answer(turn, () => persistence.recordAssistantFinal(turn, given)),
    markError: (turn, ending, given) => answer(turn, () => persistence.markError(turn, ending, given))
  }
}
