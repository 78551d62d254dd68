/** Something that is due every `spacingMs`; false when that was the last time. */
export type Step = () => boolean

/**
 * One timer for all streams. They are spread over the milliseconds of the spacing, so that each of their tokens
 * arrives alone; a late tick makes a stream slower and never writes two tokens at once.
 */
export function createTicker(spacingMs: number) {
  const slots = Array.from({ length: spacingMs }, () => new Set<Step>())
  let slot = 0
  let slotAt = performance.now()

  const timer = setInterval(() => {
    const now = performance.now()
    for (let visited = 0; slotAt <= now && visited < spacingMs; visited += 1) {
      for (const step of slots[slot] ?? []) if (!step()) slots[slot]?.delete(step)
      slot = (slot + 1) % spacingMs
      slotAt += 1
    }
    if (slotAt < now - spacingMs) slotAt = now
  }, 1)

  return {
    /** Has its first turn after the spacing. */
    add: (step: Step): void => void slots[(slot + spacingMs - 1) % spacingMs]?.add(step),
    stop: () => clearInterval(timer)
  }
}
