import { useLayoutEffect, useRef, useState } from '../preact.js'

/** How many turns are drawn at the most, and how many more when an end of them comes near. */
const MOST = 64
const STEP = 8

/**
 * Which of many turns are drawn: some of the last ones, and when the reader goes up, those that are there. What is far
 * below is taken away again, so that a conversation of thousands costs no more than one of a hundred.
 * @param {number} count How many turns there are to draw.
 * @param {boolean} hasOlder Whether there are more to read.
 * @param {() => void} loadOlder
 */
export function useWindow(count, hasOlder, loadOlder) {
  const [{ drawn, below }, set] = useState({ drawn: 2 * STEP, below: 0 })
  const end = Math.max(0, count - below)
  const start = Math.max(0, end - drawn)
  return {
    start,
    end,
    hasAbove: start > 0 || hasOlder,
    hasBelow: end < count,
    up() {
      if (start < 2 * STEP && hasOlder) loadOlder()
      if (start === 0) return
      const all = drawn + STEP
      set({ drawn: Math.min(all, MOST), below: below + Math.max(0, all - MOST) })
    },
    down: () => set({ drawn, below: Math.max(0, below - STEP) }),
    /** Draws the last ones again. */
    reset: () => set({ drawn: 2 * STEP, below: 0 })
  }
}

/**
 * Keeps in its place what is in sight while turns come and go above it. A browser that does so by itself does it for
 * what stays in the page: the library takes turns out and puts them in again when others go.
 * @param {{ current: HTMLElement | null }} box What scrolls.
 * @param {number | undefined} first The seq of the first turn that is drawn.
 */
export function useAnchor(box, first) {
  const known = useRef(/** @type {{ seq: string | undefined, top: number } | null} */ (null))
  const { current } = box
  if (current) {
    const inSight = /** @type {HTMLElement | undefined} */ (
      [...current.querySelectorAll('.turn')].find((turn) => turn.getBoundingClientRect().bottom > 0)
    )
    known.current = inSight ? { seq: inSight.dataset.seq, top: inSight.getBoundingClientRect().top } : null
  }
  useLayoutEffect(() => {
    if (!known.current || !box.current) return
    const again = box.current.querySelector(`[data-seq="${known.current.seq}"]`)
    if (again) box.current.scrollTop += again.getBoundingClientRect().top - known.current.top
  }, [first])
}
