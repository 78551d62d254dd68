import { StoreError } from '../storage/store-error.ts'

/**
 * Asks whether something answers. Whoever asks meanwhile shares the answer, so any number of probes takes one
 * connection. Rejects with `StoreError` (`STORE_UNAVAILABLE`) after `timeoutMs`, and as `ping` does.
 */
export function createProbe(ping: () => Promise<void>, timeoutMs: number): () => Promise<void> {
  let running: Promise<void> | undefined

  return async () => {
    running ??= ping().finally(() => {
      running = undefined
    })
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      const error = new StoreError('STORE_UNAVAILABLE', 'the store did not answer in time')
      timer = setTimeout(() => reject(error), timeoutMs)
    })
    await Promise.race([running, late]).finally(() => clearTimeout(timer))
  }
}
