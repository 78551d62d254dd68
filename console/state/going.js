/** What will be deleted when its undo is over. @type {Map<string, () => void>} */
const going = new Map()

/**
 * Calls `finish` after `ms`, or earlier when the page goes: nobody can take it back then. Until that the conversation
 * counts as gone. Returns what takes it back.
 * @param {string} id
 * @param {number} ms
 * @param {() => void} finish
 */
export function goLater(id, ms, finish) {
  const timer = setTimeout(() => going.get(id)?.(), ms)
  const stay = () => {
    clearTimeout(timer)
    going.delete(id)
  }
  going.set(id, () => {
    stay()
    finish()
  })
  return stay
}

/** Whether it waits to be deleted. @param {string} id */
export function isGoing(id) {
  return going.has(id)
}

addEventListener('pagehide', () => {
  for (const finish of [...going.values()]) finish()
})
