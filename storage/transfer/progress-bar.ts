import cliProgress from 'cli-progress'
import type { Progress } from './copy.ts'

/** Shows progress on `stream` when that is a terminal, and nothing otherwise. */
export function createProgressBar(stream: NodeJS.WriteStream) {
  const bar = stream.isTTY
    ? new cliProgress.SingleBar({
        stream,
        format: '{phase} [{bar}] {value}/{total} conversations',
        clearOnComplete: true
      })
    : undefined
  let phase: string | undefined

  return {
    show(progress: Progress): void {
      if (!bar) return
      if (phase !== progress.phase) {
        bar.stop()
        bar.start(progress.total, 0, { phase: progress.phase })
        phase = progress.phase
      }
      bar.update(progress.done, { phase })
    },
    stop(): void {
      bar?.stop()
    }
  }
}
