import type { ServerResponse } from 'node:http'
import Fastify from 'fastify'
import { Pool } from 'undici'
import { APPEND_CHARACTERS, APPEND_MS, olderRows } from '../storage/older-rows.ts'
import { tell } from './listen.ts'

// How such a service was written before: every event parsed, and a draft row appended to while the answer streams.
const pool = new Pool(process.argv[2] ?? '', { headersTimeout: 0, bodyTimeout: 0 })
const rows = olderRows(process.env.FILE ?? ':memory:')
const HEADERS = { 'content-type': 'application/json' }

interface Chat {
  messages: { role: string; content: string }[]
  stream?: boolean
}

const app = Fastify({ logger: false, bodyLimit: 20_971_520, keepAliveTimeout: 0, requestTimeout: 0 })
app.post<{ Body: Chat }>('/v1/chat/completions', async (request, reply) => {
  const question = request.body.messages.findLast(({ role }) => role === 'user')?.content ?? ''
  const draft = rows.begin(rows.conversation(question.slice(0, 80)), question)
  const body = JSON.stringify(request.body)
  const answer = await pool.request({
    method: 'POST',
    path: '/v1/chat/completions',
    headers: HEADERS,
    body
  })
  if (!request.body.stream) {
    const whole = (await answer.body.json()) as { choices: { message: { content: string } }[] }
    rows.finish(draft, whole.choices[0]?.message.content ?? '')
    return whole
  }
  reply.hijack()
  reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
  await passOn(answer.body, reply.raw, draft).catch(() => reply.raw.destroy())
})

async function passOn(body: AsyncIterable<Buffer>, client: ServerResponse, draft: number | bigint) {
  let pending = ''
  let savedAt = Date.now()
  let rest = ''
  for await (const chunk of body) {
    client.write(chunk)
    const lines = (rest + chunk.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (!line.startsWith('data: ') || line === 'data: [DONE]') continue
      const event = JSON.parse(line.slice(6)) as { choices: { delta: { content?: string } }[] }
      pending += event.choices[0]?.delta.content ?? ''
      if (pending.length < APPEND_CHARACTERS && Date.now() - savedAt < APPEND_MS) continue
      rows.append(draft, pending)
      pending = ''
      savedAt = Date.now()
    }
  }
  rows.finish(draft, pending)
  client.end()
}

await app.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 })
tell(app.server)
