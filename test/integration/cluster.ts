import type { Test } from 'tap'
import { gate } from '../helper/endings.ts'
import { startDatabase } from '../helper/postgres.ts'
import { type ServerProcess, startServer } from '../helper/server-process.ts'
import { DONE, delta, finish, startSse, startUpstream, type UpstreamScript } from '../helper/upstream.ts'
import { freePort, startNginx } from './nginx.ts'

export interface Instance {
  id: string
  url: string
  port: number
  process: ServerProcess & { url: string }
}

/** A chat that has reached the upstream. */
export interface Sent {
  question: string
  /** The instance that sent it. */
  instance: string
  /** Resolves when the instance has cancelled the call. */
  cancelled: Promise<void>
}

export interface Cluster {
  /** The load balancer, without a trailing slash. */
  url: string
  dbUrl: string
  instances: Instance[]
  /** Every chat that the upstream was asked, in order. */
  sent: Sent[]
  /** From now on, questions that begin with `hold` get half an answer; `release` lets the rest go. */
  hold(): { release(): void }
  restart(instance: Instance): Promise<void>
}

const INSTANCES = 3

/** What docker-compose.yml starts, without Docker: Postgres, instances, a load balancer, and an upstream. */
export async function startCluster(t: Test): Promise<Cluster> {
  const sent: Sent[] = []
  let released = Promise.resolve()
  const answer: UpstreamScript = async (res, call) => {
    const instance = call.url.split('/')[1] ?? ''
    const question =
      (JSON.parse(call.body) as { messages: { content: string }[] }).messages.at(-1)?.content ?? ''
    sent.push({ question, instance, cancelled: call.cancelled })
    const [first, ...rest] = answerTo(question).match(/\S+\s?/g) ?? []
    startSse(res)
    res.write(delta({ role: 'assistant', content: first }))
    if (question.startsWith('hold')) await released
    for (const piece of rest) {
      await new Promise((resolve) => setTimeout(resolve, 10)) // a model's pace; nothing is waited for
      res.write(delta({ content: piece }))
    }
    res.end(finish() + DONE)
  }

  const upstream = await startUpstream(t, answer)
  const dbUrl = await startDatabase()
  const start = (id: string, port: number): Promise<ServerProcess & { url: string }> =>
    startServer(t, {
      DB_URL: dbUrl,
      PORT: String(port),
      INSTANCE_ID: id,
      AUTH: 'header',
      // Each instance has a path of its own, so that the upstream knows who asks.
      OPENAI_BASE_URL: `${new URL(upstream.url).origin}/${id}/v1`,
      DRAIN_DELAY_MS: '1000',
      LOG_LEVEL: 'warn'
    })
  const startInstance = async (_: unknown, index: number): Promise<Instance> => {
    const id = `api-${index + 1}`
    const port = await freePort()
    const process = await start(id, port)
    return { id, port, process, url: process.url }
  }
  const instances = await Promise.all(Array.from({ length: INSTANCES }, startInstance))
  const urls = instances.map(({ url }) => url)
  return {
    url: await startNginx(t, urls),
    dbUrl,
    instances,
    sent,
    hold() {
      const { open, opened } = gate()
      released = opened
      return { release: open }
    },
    async restart(instance) {
      instance.process = await start(instance.id, instance.port)
    }
  }
}

/** What the upstream of `startCluster` answers. */
export function answerTo(question: string): string {
  return `The answer to ${question} is ${question}.`
}
