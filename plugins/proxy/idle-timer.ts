export interface IdleTimer {
  /** Starts over with a new limit; 0 = none. */
  start(limitMs: number): void
  /** Something was heard. */
  touch(): void
  pause(): void
  resume(): void
  stop(): void
}

/** Calls `onSilence` when nothing was heard for as long as the limit. */
export function createIdleTimer(onSilence: () => void): IdleTimer {
  let timer: NodeJS.Timeout | undefined
  let limitMs = 0
  let stopped = false

  function start(newLimitMs: number): void {
    clearTimeout(timer)
    limitMs = newLimitMs
    timer = limitMs > 0 && !stopped ? setTimeout(onSilence, limitMs) : undefined
  }

  return {
    start,
    touch: () => timer?.refresh(),
    pause: () => {
      clearTimeout(timer)
      timer = undefined
    },
    resume: () => start(limitMs),
    stop: () => {
      stopped = true
      clearTimeout(timer)
      timer = undefined
    }
  }
}
