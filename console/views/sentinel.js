import { useEffect, useRef } from '../preact.js'

/**
 * Calls `more` as soon as `sentinel` comes near what `box` shows, and again after each change of `when` while it is.
 * @param {{ current: Element | null }} box What scrolls.
 * @param {{ current: Element | null }} sentinel
 * @param {() => void} more
 * @param {unknown[]} when
 */
export function useSentinel(box, sentinel, more, when) {
  // An observer may be heard after the next drawing, and must not act on what was drawn before.
  const newest = useRef(more)
  newest.current = more
  useEffect(() => {
    if (!sentinel.current) return
    const look = new IntersectionObserver((entries) => entries.at(-1)?.isIntersecting && newest.current(), {
      root: box.current,
      rootMargin: '600px'
    })
    look.observe(sentinel.current)
    return () => look.disconnect()
  }, when)
}
