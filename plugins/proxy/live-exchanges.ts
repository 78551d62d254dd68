import type { Exchange } from './relay.ts'

/** The exchanges under way in this process. */
export function createLiveExchanges() {
  const live = new Set<Exchange>()

  return {
    get size(): number {
      return live.size
    },

    async track(exchange: Exchange): Promise<void> {
      live.add(exchange)
      await exchange.done
      live.delete(exchange)
    },

    /** Waits up to `timeoutMs` for all to end, then ends the others and waits for their writes. */
    async drain(timeoutMs: number): Promise<void> {
      const allDone = () => Promise.all([...live].map((exchange) => exchange.done))
      let timer: NodeJS.Timeout | undefined
      const deadline = new Promise((resolve) => {
        timer = setTimeout(resolve, timeoutMs)
      })
      await Promise.race([allDone(), deadline])
      clearTimeout(timer)
      for (const exchange of live) exchange.shutdown()
      await allDone()
    }
  }
}
