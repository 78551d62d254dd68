import { Session } from 'node:inspector/promises'
import { monitorEventLoopDelay } from 'node:perf_hooks'

// Loaded into a target with --import: answers the bench from inside the process that is measured.
export type Question = { ask: 'delay' } | { ask: 'profile' } | { ask: 'profiled' }
export interface InsideReply {
  asked: Question['ask']
  /** Event-loop delay since the last question, in milliseconds. */
  delayMs?: { p50: number; p99: number; max: number }
  /** What V8's profiler saw since `profile`. */
  profile?: object
}

/** How often the profiler looks; the default of a millisecond misses most functions. */
const SAMPLING_US = 200
const delay = monitorEventLoopDelay({ resolution: 1 })
const session = new Session()

async function answer(question: Question): Promise<InsideReply> {
  if (question.ask === 'delay') {
    const delayMs = {
      p50: delay.percentile(50) / 1e6,
      p99: delay.percentile(99) / 1e6,
      max: delay.max / 1e6
    }
    delay.reset()
    delay.enable()
    return { asked: 'delay', delayMs }
  }
  if (question.ask === 'profile') {
    session.connect()
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_US })
    await session.post('Profiler.start')
    return { asked: 'profile' }
  }
  const { profile } = await session.post('Profiler.stop')
  session.disconnect()
  return { asked: 'profiled', profile }
}

process.on('message', async (question: Question) => process.send?.(await answer(question)))
// The channel must not keep a process alive that is done.
process.channel?.unref()
