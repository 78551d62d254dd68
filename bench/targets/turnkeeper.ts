import path from 'node:path'
import { type Child, startChild } from '../machine/child.ts'
import { askInside, INSIDE, type RunningTarget, type Target, type TargetContext } from './target.ts'

const SERVER = path.join(import.meta.dirname, '../../server.ts')
const READY = /curl -N (http:\/\/\S+)\/v1\//

export const turnkeeper: Target = {
  name: 'turnkeeper',
  about: 'this service as it is shipped: SQLite at FULL, a log line per request, into a file',
  start: (context) => start(context, {})
}

export const turnkeeperWithoutStorage: Target = {
  name: 'turnkeeper, no storage',
  about: 'the same with `PERSIST_TRANSCRIPTS=false`',
  start: (context) => start(context, { PERSIST_TRANSCRIPTS: 'false' })
}

/** All is at its default but the limits on streams at once, which one session would meet. */
async function start(
  { upstreamUrl, folder }: TargetContext,
  settings: Record<string, string>
): Promise<RunningTarget> {
  const child = startChild({
    command: [process.execPath, '--import', INSIDE, SERVER],
    role: 'target',
    cwd: folder,
    output: path.join(folder, 'turnkeeper.log'),
    env: {
      NODE_ENV: 'production',
      PORT: '0',
      OPENAI_BASE_URL: `${upstreamUrl}/v1`,
      OPENAI_API_KEY: 'sk-bench-0123456789abcdef',
      MAX_STREAMS: '0',
      MAX_STREAMS_PER_SESSION: '0',
      ...settings
    }
  })
  const url = await readyUrl(child)
  return {
    url,
    pid: child.pid,
    conversations: (count) => Promise.all(Array.from({ length: count }, () => newConversation(url))),
    ask: (question) => askInside(child, question),
    stop: () => child.stop()
  }
}

async function readyUrl(child: Child): Promise<string> {
  for (let tries = 0; tries < 400; tries += 1) {
    const url = READY.exec(child.errors())?.[1]
    if (url) return url
    if (child.process.exitCode !== null) break
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`turnkeeper does not start: ${child.errors()}`)
}

async function newConversation(url: string): Promise<Record<string, string>> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`${url}/v1/conversations`, { method: 'POST', headers, body: '{}' })
  const { id } = (await response.json()) as { id: string }
  return { 'x-conversation-id': id }
}
