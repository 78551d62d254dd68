import { Writable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { buildApp } from '../../app.ts'
import { loadConfig } from '../../config.ts'
import { newApiKey } from '../../storage/keys/api-key.ts'
import { tempFolder } from './app.ts'
import { rawConnect } from './raw-client.ts'
import { type ScriptedUpstream, startUpstream } from './upstream.ts'

/** A request as it goes over the wire, and the refusal it must get; `null` = whichever of the two fits it. */
export interface Probe {
  name: string
  /** As lines: `name: value`. */
  headers?: string[]
  method?: string
  target?: string
  body?: string
  status: number
  code: string
}

export interface Guarded {
  app: FastifyInstance
  url: string
  upstream: ScriptedUpstream
  /** Sends a request on a connection of its own. */
  send(probe: Pick<Probe, 'headers' | 'method' | 'target' | 'body'>): Promise<Answer>
  /** Sends the probe and holds the answer to be the refusal, with nothing in it of what was sent. */
  refuse(t: Test, probe: Probe): Promise<Answer>
  /** All that was logged so far, at every level. */
  log(): string
  /** All that is stored, and how often was written. */
  stored(): Promise<string>
}

export interface Answer {
  status: number
  /** The head without its date. */
  head: string
  text: string
}

const CHAT = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hi' }] })
export const TO_CHAT = { method: 'POST', target: '/v1/chat/completions', body: CHAT }

/** A service that asks who calls, before an upstream that counts its calls. */
export async function startGuarded(t: Test, settings: Record<string, string>): Promise<Guarded> {
  const upstream = await startUpstream(t)
  let log = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      log += chunk
      done()
    }
  })
  const dbUrl = `sqlite:${tempFolder(t)}/test.db`
  const config = loadConfig({ DB_URL: dbUrl, PORT: '0', OPENAI_BASE_URL: upstream.url, ...settings })
  const app = await buildApp(config, { level: 'trace', stream })
  t.teardown(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })

  const send: Guarded['send'] = async ({
    headers = [],
    method = 'GET',
    target = '/v1/conversations',
    body
  }) => {
    const lines = [`${method} ${target} HTTP/1.1`, 'connection: close', ...headers]
    if (!headers.some((line) => /^host:/i.test(line))) lines.push('host: localhost')
    if (body !== undefined) lines.push('content-type: application/json', `content-length: ${body.length}`)
    const client = await rawConnect(t, url)
    client.socket.write(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`, 'latin1')
    await client.closed
    const [head = '', text = ''] = client.received().split('\r\n\r\n')
    return { status: Number(head.split(' ')[1]), head: head.replace(/^date: .*\r\n/im, ''), text }
  }

  const refuse: Guarded['refuse'] = async (t, probe) => {
    const answer = await send(probe)
    const { error } = probe.method === 'HEAD' ? { error: null } : JSON.parse(answer.text || '{}')
    const seen = `${answer.status} ${error ? error.code : probe.code}`
    t.equal(seen, `${probe.status} ${probe.code}`, probe.name)
    if (error) t.same(Object.keys(error), ['message', 'type', 'param', 'code'], `${probe.name}: its shape`)
    return answer
  }

  const stored = async () =>
    JSON.stringify([
      app.store.counters,
      await app.store.exportConversations(null, 1000),
      await app.store.keys.list()
    ])

  return { app, url, upstream, send, refuse, log: () => log, stored }
}

/** Adds a key for `sessionId` and gives it as the client has it. */
export async function addKey(app: FastifyInstance, sessionId: string): Promise<string> {
  const { key, stored } = newApiKey({ sessionId, name: null, createdAt: Date.now() })
  await app.store.keys.add(stored)
  return key
}

export const bearer = (token: string): string => `authorization: Bearer ${token}`
