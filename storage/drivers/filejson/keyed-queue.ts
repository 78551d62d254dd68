/** Runs work one after the other for each key, and side by side for different keys. */
export function createKeyedQueue() {
  const tails = new Map<string, Promise<unknown>>()

  return {
    run<T>(key: string, work: () => Promise<T>): Promise<T> {
      const result = (tails.get(key) ?? Promise.resolve()).then(work)
      const tail = result.catch(() => {}) // whoever asked for the work hears of its failure
      tails.set(key, tail)
      tail.then(() => tails.get(key) === tail && tails.delete(key))
      return result
    },

    async idle(): Promise<void> {
      await Promise.all(tails.values())
    }
  }
}
