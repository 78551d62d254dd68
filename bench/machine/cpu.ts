import { readdirSync, readFileSync } from 'node:fs'
import { ownPids } from './cleanup.ts'

/** Of a tick, in which the kernel counts the machine's time. */
const TICK_MS = 10

/** CPU time of a process, by thread, in nanoseconds. */
function threadTimes(pid: number): Map<string, number> {
  const folder = `/proc/${pid}/task`
  return new Map(readdirSync(folder).map((tid) => [tid, threadTime(`${folder}/${tid}`)]))
}

function threadTime(folder: string): number {
  try {
    return Number(readFileSync(`${folder}/schedstat`, 'utf8').split(' ')[0])
  } catch {
    return 0 // it ended meanwhile
  }
}

/** CPU time of this thread, if it is the main one, in microseconds. */
export function mainThreadUs(): number {
  return threadTime(`/proc/self/task/${process.pid}`) / 1_000
}

/** Resident memory of a process, in kilobytes. */
export function residentKb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

/** A process and what it has started. */
function family(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean)
    return [pid, ...children.flatMap((child) => family(Number(child)))]
  } catch {
    return [pid]
  }
}

/** CPU time that the whole machine has spent, in milliseconds. */
function machineMs(): number {
  const [, ...ticks] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.split(/\s+/) ?? []
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = ticks.map(Number)
  return (user + nice + system + irq + softirq) * TICK_MS
}

function ownMs(): Map<string, number> {
  const pids = new Set(ownPids().flatMap(family))
  const times = [...pids].flatMap((pid) => {
    try {
      return [...threadTimes(pid)].map(([tid, ns]) => [tid, ns / 1e6] as const)
    } catch {
      return []
    }
  })
  return new Map(times)
}

function grownBy(before: Map<string, number>, after: Map<string, number>): number {
  let sum = 0
  for (const [tid, time] of after) sum += time - (before.get(tid) ?? 0)
  return sum
}

export interface CpuUse {
  /** Of the process, all its threads. */
  targetUs: number
  /** How many cores everybody but this run used. */
  othersCores: number
}

/** Measures from now until the returned function is called. */
export function watchCpu(pid: number | null): () => CpuUse {
  const target = pid === null ? new Map<string, number>() : threadTimes(pid)
  const own = ownMs()
  const machine = machineMs()
  const startedAt = performance.now()
  return () => {
    const used = pid === null ? 0 : grownBy(target, threadTimes(pid)) / 1_000
    const others = machineMs() - machine - grownBy(own, ownMs())
    return { targetUs: used, othersCores: Math.max(0, others / (performance.now() - startedAt)) }
  }
}
