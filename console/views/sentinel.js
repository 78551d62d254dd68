import { useEffect } from '../preact.js'

/**
 * Calls `more` as soon as `sentinel` comes near what `box` shows, and again after each change of `when` while it is.
 * @param {{ current: Element | null }} box What scrolls.
 * @param {{ current: Element | null }} sentinel
 * @param {() => void} more
 * @param {unknown[]} when
 */
export function useSentinel(box, sentinel, more, when) {
  useEffect(() => {
    if (!sentinel.current) return
    const look = new IntersectionObserver(([entry]) => entry?.isIntersecting && more(), {
      root: box.current,
      rootMargin: '600px'
    })
    look.observe(sentinel.current)
    return () => look.disconnect()
  }, when)
}
