import path from 'node:path'
import Fastify from 'fastify'
import { tell } from './listen.ts'

// Variables, so that the type check needs no peer.
const MODULES = path.join(import.meta.dirname, '../peers/node_modules/@platformatic')
const { ai } = await import(path.join(MODULES, 'fastify-ai/dist/index.js'))
const { createOpenAiClient } = await import(
  path.join(MODULES, 'ai-provider/dist/providers/lib/openai-undici-client.js')
)
const client = createOpenAiClient({
  providerName: 'OpenAI',
  baseUrl: process.argv[2],
  apiPath: '/v1/chat/completions',
  apiKey: 'sk-bench',
  userAgent: 'bench',
  undiciOptions: {}
})

interface Decorated {
  ai: { request(options: object, reply: unknown): Promise<unknown> }
}

const app = Fastify({ logger: false, bodyLimit: 20_971_520, keepAliveTimeout: 0, requestTimeout: 0 })
await app.register(ai, {
  providers: { openai: { apiKey: 'sk-bench', client } },
  models: [{ provider: 'openai', model: 'gpt-4o-mini' }],
  limits: { rate: { max: 100_000_000, timeWindow: '1m' } }
})
app.post<{ Body: { prompt: string; stream: boolean } }>('/chat', async (request, reply) => {
  const { prompt, stream } = request.body
  return await (app as unknown as Decorated).ai.request({ request, prompt, stream }, reply)
})
await app.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 })
tell(app.server)
