import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Job } from '../job.ts'
import { IN_FLIGHT, openSubject, type SubjectName } from '../subjects/subject.ts'

const PER_SECOND = 2_000
/** With so many waiting the subject cannot keep up, and no more is offered: a pool would refuse them. */
const MOST_WAITING = 256

/** Event-loop delay while 2,000 turns a second are offered, evenly; and what of it the idle loop has. */
export const run: Job = async ({ url, subject, durationMs = 2_000 }) => {
  const opened = await openSubject(subject as SubjectName, url)
  await offer(durationMs / 2, () => opened.turn(0)) // warm
  const idle = await offer(durationMs, async () => {})
  const busy = await offer(durationMs, (turn) => opened.turn(turn % IN_FLIGHT))
  await opened.close()
  return {
    idleDelayP99: idle.delayP99,
    delayP99: busy.delayP99,
    delayOverIdle: busy.delayP99 - idle.delayP99,
    kept: busy.kept
  }
}

async function offer(durationMs: number, turn: (index: number) => Promise<void>) {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const startedAt = performance.now()
  let begun = 0
  let ended = 0
  let failure: unknown
  delay.enable()
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const now = performance.now() - startedAt
      const due = Math.min((now / 1_000) * PER_SECOND, ended + MOST_WAITING)
      for (; begun < due; begun += 1) {
        turn(begun).then(
          () => {
            ended += 1
          },
          (err) => {
            failure = err
          }
        )
      }
      if (now < durationMs) return
      clearInterval(timer)
      resolve()
    }, 1)
  })
  delay.disable()
  const keptUp = ended
  const giveUpAt = performance.now() + 30_000
  while (ended < begun && !failure && performance.now() < giveUpAt)
    await new Promise((resolve) => setTimeout(resolve, 20))
  if (failure) throw failure
  return { delayP99: delay.percentile(99) / 1e6, kept: keptUp / ((durationMs / 1_000) * PER_SECOND) }
}
