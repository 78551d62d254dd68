import type { Exchange } from './relay.ts'

/** The exchanges under way in this process, from before their first write to after their last. */
export function createLiveExchanges() {
  const running = new Set<Promise<void>>()
  const exchanges = new Set<Exchange>()
  let ending = false

  async function follow(start: Promise<Exchange | null>): Promise<void> {
    const exchange = await start
    if (exchange === null) return
    exchanges.add(exchange)
    if (ending) exchange.shutdown()
    await exchange.done
    exchanges.delete(exchange)
  }

  return {
    /** Exchanges with the upstream under way. */
    get open() {
      return exchanges.size
    },

    /** How much waits here for clients to take it. */
    get bufferedBytes() {
      let bytes = 0
      for (const exchange of exchanges) bytes += exchange.bufferedBytes()
      return bytes
    },

    /** Resolves when the exchange is over, or at once when there is none; rejects when it could not be started. */
    async track(start: Promise<Exchange | null>): Promise<void> {
      const end = follow(start)
      running.add(end)
      await end.finally(() => running.delete(end))
    },

    /** Waits up to `timeoutMs` for all to end, then ends the others and waits for their writes. */
    async drain(timeoutMs: number): Promise<void> {
      let timer: NodeJS.Timeout | undefined
      const deadline = new Promise<void>((resolve) => {
        timer = setTimeout(() => {
          ending = true
          for (const exchange of exchanges) exchange.shutdown()
          resolve()
        }, timeoutMs)
      })
      // Exchanges may still begin on connections that are kept.
      while (running.size > 0 && !ending) await Promise.race([Promise.allSettled(running), deadline])
      clearTimeout(timer)
      ending = true
      while (running.size > 0) await Promise.allSettled(running)
    }
  }
}
