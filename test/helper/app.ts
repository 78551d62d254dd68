import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import type { Static } from 'typebox'
import { buildApp } from '../../app.ts'
import { loadConfig } from '../../config.ts'
import type { TurnView } from '../../routes/shapes.ts'
import { CANARY, canaryLog } from './canary-log.ts'

export interface RunningApp {
  app: FastifyInstance
  /** Where it listens, without a trailing slash. */
  url: string
  /** Sends `messages` (or one user message) to the chat route. */
  chat(body?: object, headers?: Record<string, string>, signal?: AbortSignal): Promise<Response>
  /** All turns of a conversation, superseded ones included. */
  turnsOf(conversationId: string): Promise<Static<typeof TurnView>[]>
  /** Waits until the turn that a response announced has ended, and returns it. */
  endedTurn(response: Response): Promise<Static<typeof TurnView>>
}

/** A new empty folder that goes with the test. */
export function tempFolder(t: Test): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'turnkeeper-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/**
 * The service on a free port with a store of its own; closes with the test. Its log, of every level, must never say a
 * secret: a test in which it does fails when it ends.
 */
export async function startApp(
  t: Test,
  settings: Record<string, string | undefined> = {}
): Promise<RunningApp> {
  const folder = tempFolder(t)
  const wanted = {
    DB_URL: `sqlite:${path.join(folder, 'test.db')}`,
    PORT: '0',
    DRAIN_TIMEOUT_MS: '1000',
    // With a key alone it would speak to OpenAI.
    ...(settings.OPENAI_BASE_URL && { OPENAI_API_KEY: CANARY.upstreamKey }),
    ...settings
  }
  const given = Object.fromEntries(
    Object.entries(wanted).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  ) as Record<string, string>
  const config = loadConfig(given)
  const log = canaryLog(given)
  const app = await buildApp(config, { level: 'trace', stream: log.stream })
  t.teardown(async () => {
    await app.close()
    log.assertClean()
  })
  const url = await app.listen({ host: config.HOST, port: 0 })

  // Official SDKs always send a key.
  const isOurs = config.AUTH === 'key' || config.AUTH === 'jwt'
  const credentials = isOurs
    ? {}
    : { authorization: `Bearer ${CANARY.clientKey}`, cookie: `session=${CANARY.cookie}` }
  const chat: RunningApp['chat'] = (body, headers, signal) =>
    fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...credentials, ...headers },
      body: JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...body }),
      ...(signal && { signal })
    })

  const turnsOf: RunningApp['turnsOf'] = async (conversationId) => {
    const res = await fetch(`${url}/v1/conversations/${conversationId}/turns?include=superseded&limit=100`)
    return ((await res.json()) as { data: Static<typeof TurnView>[] }).data
  }

  const endedTurn: RunningApp['endedTurn'] = async (response) => {
    const conversationId = response.headers.get('x-conversation-id') ?? ''
    const id = response.headers.get('x-turn-id')
    for (;;) {
      const turn = (await turnsOf(conversationId)).find((candidate) => candidate.id === id)
      if (turn?.status !== 'in_progress') return turn as Static<typeof TurnView>
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  return { app, url, chat, turnsOf, endedTurn }
}
