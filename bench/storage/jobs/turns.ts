import { mainThreadUs } from '../../machine/cpu.ts'
import type { Job } from '../job.ts'
import { IN_FLIGHT, openSubject, type Subject, type SubjectName } from '../subjects/subject.ts'

/** As many turns as it can, so many in flight: turns a second, and CPU of the main thread for one. */
export const run: Job = async ({ url, subject, durationMs = 2_000 }) => {
  const opened = await openSubject(subject as SubjectName, url)
  await record(opened, durationMs / 3)
  const cpu = mainThreadUs()
  const startedAt = performance.now()
  const turns = await record(opened, durationMs)
  const elapsedMs = performance.now() - startedAt
  const mainCpuUs = (mainThreadUs() - cpu) / turns
  await opened.close()
  return { turnsPerSecond: (turns / elapsedMs) * 1_000, mainCpuUs }
}

async function record(subject: Subject, durationMs: number): Promise<number> {
  const endAt = performance.now() + durationMs
  let turns = 0
  async function work(slot: number): Promise<void> {
    while (performance.now() < endAt) {
      await subject.turn(slot)
      turns += 1
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, slot) => work(slot)))
  return turns
}
