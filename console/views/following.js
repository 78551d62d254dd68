import { useCallback, useEffect, useRef, useState } from '../preact.js'

/** Whoever is this near to the end wants to see what comes. In pixels. */
const NEAR = 80

/**
 * Keeps the end of what grows in sight, until the reader scrolls away from it.
 * @param {{ current: HTMLElement | null }} box What scrolls; its first child is what grows.
 * @param {boolean} hasBelow Whether the end of what is drawn is not the end of all.
 */
export function useFollowing(box, hasBelow) {
  const following = useRef(true)
  const more = useRef(hasBelow)
  more.current = hasBelow
  const [isAtEnd, setIsAtEnd] = useState(true)

  useEffect(() => {
    const { current } = box
    if (!current?.firstElementChild) return
    let lastTop = current.scrollTop
    const onScroll = () => {
      const { scrollTop, scrollHeight, clientHeight } = current
      const near = !more.current && scrollHeight - scrollTop - clientHeight < NEAR
      // Growing content changes the distance too; only going up is leaving.
      if (near) following.current = true
      else if (scrollTop < lastTop) following.current = false
      lastTop = scrollTop
      setIsAtEnd(near)
    }
    const follow = () => {
      if (following.current) current.scrollTop = current.scrollHeight
    }
    const growth = new ResizeObserver(follow)
    growth.observe(current.firstElementChild)
    growth.observe(current)
    current.addEventListener('scroll', onScroll, { passive: true })
    return () => {
      growth.disconnect()
      current.removeEventListener('scroll', onScroll)
    }
  }, [])

  const toEnd = useCallback(() => {
    following.current = true
    const { current } = box
    if (current) current.scrollTop = current.scrollHeight
  }, [])
  return { isAtEnd, toEnd }
}
