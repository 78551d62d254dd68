import cliProgress from 'cli-progress'

/** A line that says what is measured now: a bar on a terminal, elsewhere a line for each step. */
export function createProgress(total: number, stream: NodeJS.WriteStream) {
  const startedAt = performance.now()
  const bar = stream.isTTY
    ? new cliProgress.SingleBar({
        stream,
        format: '[{bar}] {value}/{total}, {minutes} min: {label}',
        barsize: 24,
        clearOnComplete: true,
        hideCursor: true
      })
    : undefined
  let done = -1
  bar?.start(total, 0, { label: 'starts', minutes: '0.0' })

  return {
    /** The step before, if any, is over. */
    step(label: string): void {
      done += 1
      const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1)
      if (bar) bar.update(done, { label, minutes })
      else stream.write(`${done + 1}/${total}, ${minutes} min: ${label}\n`)
    },
    stop(): void {
      bar?.stop()
    }
  }
}
