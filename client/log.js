/**
 * What arrives over time, for any number of readers: each reads from the beginning, and waits where it has caught up.
 * @template T
 */
export function createLog() {
  /** @type {T[]} */
  const entries = []
  /** @type {null | { thrown: boolean, error?: unknown }} */
  let end = null
  let change = Promise.withResolvers()

  function changed() {
    const { resolve } = change
    change = Promise.withResolvers()
    resolve(undefined)
  }

  async function* read() {
    for (let next = 0; ; ) {
      while (next < entries.length) yield/** @type {T} */ (entries[next++])
      if (end?.thrown) throw end.error
      if (end) return
      await change.promise
    }
  }

  return {
    read,
    /** @param {T} entry */
    push(entry) {
      if (end) return
      entries.push(entry)
      changed()
    },
    /** Readers end after the last entry. */
    end() {
      end ??= { thrown: false }
      changed()
    },
    /**
     * Readers throw after the last entry.
     * @param {unknown} error
     */
    fail(error) {
      end ??= { thrown: true, error }
      changed()
    }
  }
}
