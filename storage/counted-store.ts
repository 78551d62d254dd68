import type { Store, TurnEnding } from './contract.ts'

/** What became of turns since the process started. `accepted` is the sum of the others but `recovered`, always. */
export interface TurnFigures {
  /** Turns that write 1 has begun, each attempt for itself. */
  accepted: number
  /** Those that write 2 has not ended yet. */
  inProgress: number
  /** Those whose write 2 found them deleted, or ended by somebody else. */
  discarded: number
  /** Those that write 2 has ended, by `status` and `error`. */
  ended: Map<string, EndedTurns>
  /** Turns of dead processes, this one's earlier life included, that this one has ended. */
  recovered: number
}

export type EndedTurns = Pick<TurnEnding, 'status' | 'error'> & { turns: number }

/** The store, and what is counted of the turns that go through it. */
export function countTurns(store: Store): { store: Store; figures: TurnFigures } {
  /** The turns that run, and whether a write may have ended them already. */
  const running = new Map<string, 'runs' | 'uncertain'>()
  const ended = new Map<string, EndedTurns>()
  const figures = {
    accepted: 0,
    discarded: 0,
    recovered: 0,
    ended,
    get inProgress() {
      return running.size
    }
  }
  const nameOf = ({ id, attempt }: { id: string; attempt: number }) => `${id} ${attempt}`

  function end({ status, error }: TurnEnding): void {
    const name = `${status} ${error}`
    const known = ended.get(name)
    if (known) known.turns += 1
    else ended.set(name, { status, error, turns: 1 })
  }

  const counted: Pick<Store, 'beginTurn' | 'finishTurn' | 'recoverTurns'> = {
    async beginTurn(turn) {
      const begun = await store.beginTurn(turn)
      if (begun?.outcome !== 'begun') return begun
      figures.accepted += 1
      running.set(nameOf(begun.turn), 'runs')
      return begun
    },

    async finishTurn(turn, ending) {
      const name = nameOf(turn)
      try {
        const done = await store.finishTurn(turn, ending)
        const state = running.get(name)
        // A turn whose client was refused, because it was uncertain that it had begun, was not accepted.
        if (!running.delete(name)) return done
        // After a try that may have happened, "ended already" is what it did.
        if (done || state === 'uncertain') end(ending)
        else figures.discarded += 1
        return done
      } catch (err) {
        if ((err as { code?: unknown }).code === 'STORE_UNCERTAIN' && running.has(name))
          running.set(name, 'uncertain')
        throw err
      }
    },

    async recoverTurns(owner) {
      const turns = await store.recoverTurns(owner)
      figures.recovered += turns
      return turns
    }
  }

  // A driver may be of a class, with methods that are not the object's own and need the object itself.
  const get = (_: Store, name: string | symbol) => {
    if (Object.hasOwn(counted, name)) return counted[name as keyof typeof counted]
    const value = Reflect.get(store, name)
    return typeof value === 'function' ? value.bind(store) : value
  }
  // Not of the store itself: a frozen one would have a proxy give its own functions, and nothing else.
  return { store: new Proxy({} as Store, { get }), figures }
}
