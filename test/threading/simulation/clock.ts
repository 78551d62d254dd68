/** What lies this near together in time happens at once. */
const AT_ONCE_MS = 15_000
/** How much of that at most. */
const MAX_AT_ONCE = 6

/** The time of a simulation: it stands still while anybody does something, and then leaps to what comes next. */
export interface Clock {
  now(): number
  /** Waits in simulated time. */
  pause(ms: number): Promise<void>
  /** Does several things that each may pause. */
  together<T>(tasks: (() => Promise<T>)[]): Promise<T[]>
  /** Resolves when all the tasks are done. */
  run(tasks: (() => Promise<void>)[]): Promise<void>
}

export function createClock(start: number): Clock {
  let now = start
  let active = 0
  let idle = Promise.withResolvers<void>()
  const waiting: { at: number; resume: () => void }[] = []

  const leave = () => {
    active -= 1
    if (active === 0) idle.resolve()
  }

  async function together<T>(tasks: (() => Promise<T>)[]): Promise<T[]> {
    active += tasks.length - 1
    let left = tasks.length
    const each = async (task: () => Promise<T>) => {
      const done = await task()
      left -= 1
      if (left > 0) leave() // the last one goes on as the one that waits for all
      return done
    }
    return await Promise.all(tasks.map(each))
  }

  return {
    now: () => now,
    together,

    pause(ms) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const at = now + Math.round(ms)
      const before = waiting.findLastIndex((other) => other.at <= at)
      waiting.splice(before + 1, 0, { at, resume: resolve })
      leave()
      return promise
    },

    async run(tasks) {
      active = 1
      const all = together(tasks).then(leave)
      const failed = all.then(() => new Promise<never>(() => {}))
      for (;;) {
        await Promise.race([idle.promise, failed])
        idle = Promise.withResolvers()
        const first = waiting[0]
        if (!first) break
        const later = waiting.findIndex(({ at }) => at > first.at + AT_ONCE_MS)
        const due = waiting.splice(0, Math.min(MAX_AT_ONCE, later === -1 ? waiting.length : later))
        now = Math.max(now, due.at(-1)?.at ?? now)
        active += due.length
        for (const { resume } of due) resume()
      }
      await all
    }
  }
}
