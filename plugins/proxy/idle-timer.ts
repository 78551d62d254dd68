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
  let heardAt = 0

  function start(newLimitMs: number): void {
    clearTimeout(timer)
    limitMs = newLimitMs
    heardAt = performance.now()
    timer = limitMs > 0 && !stopped ? setTimeout(check, limitMs) : undefined
  }

  /** To set a timer anew for each thing that is heard costs more than to look at the clock. */
  function check(): void {
    const leftMs = heardAt + limitMs - performance.now()
    if (leftMs <= 0) onSilence()
    else timer = setTimeout(check, Math.ceil(leftMs))
  }

  return {
    start,
    touch: () => {
      heardAt = performance.now()
    },
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
