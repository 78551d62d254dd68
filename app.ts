import cors from '@fastify/cors'
import sensible from '@fastify/sensible'
import Fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify'
import type { Config } from './config.ts'
import { DEMO_MODEL } from './plugins/demo-upstream/answers.ts'
import demoUpstream from './plugins/demo-upstream/index.ts'
import errorShape, { refuseMalformed, sendErrorShape } from './plugins/error-shape.ts'
import identity from './plugins/identity.ts'
import lifecycle from './plugins/lifecycle.ts'
import { EXPOSED_HEADERS } from './plugins/proxy/headers.ts'
import proxy from './plugins/proxy/index.ts'
import requestLog from './plugins/request-log.ts'
import storage from './plugins/storage.ts'
import validation from './plugins/validation.ts'
import { querystringParser } from './query-string.ts'
import chatCompletions from './routes/chat-completions.ts'
import conversations from './routes/conversations.ts'
import items from './routes/items.ts'
import passedThrough from './routes/passed-through.ts'
import responses from './routes/responses.ts'
import storedCompletions from './routes/stored-completions.ts'
import storedResponses from './routes/stored-responses.ts'
import turns from './routes/turns.ts'

export { migrateStore } from './plugins/storage.ts'

const OPENAI = 'https://api.openai.com/v1'

/** The whole service, ready to listen. Rejects with `ConfigError` when a setting cannot be used. */
export async function buildApp(
  config: Config,
  logger: FastifyServerOptions['logger'] = false
): Promise<FastifyInstance> {
  const app = Fastify({
    logger,
    logController: new LogController({ disableRequestLogging: true }), // request-log writes its own line
    bodyLimit: config.MAX_REQUEST_BYTES,
    requestTimeout: config.REQUEST_TIMEOUT_MS,
    return503OnClosing: false, // lifecycle answers in the error shape
    forceCloseConnections: 'idle',
    frameworkErrors: sendErrorShape,
    clientErrorHandler: refuseMalformed,
    routerOptions: {
      maxParamLength: 16_384, // whatever Node accepts as a URL
      querystringParser
    }
  })
  try {
    await app.register(sensible)
    await app.register(errorShape)
    await app.register(validation)
    await app.register(requestLog)
    await app.register(storage, {
      dbUrl: config.DB_URL,
      owner: config.INSTANCE_ID,
      finalWriteTimeoutMs: config.FINAL_WRITE_TIMEOUT_MS
    })
    await app.register(lifecycle)
    await app.register(cors, {
      origin: config.ALLOWED_ORIGIN?.split(',').map((origin) => origin.trim()) ?? false,
      methods: ['GET', 'HEAD', 'POST', 'DELETE'],
      exposedHeaders: EXPOSED_HEADERS
    })
    const { OPENAI_BASE_URL, OPENAI_API_KEY } = config
    const demo = OPENAI_BASE_URL === undefined && OPENAI_API_KEY === undefined
    if (demo) await app.register(demoUpstream)
    await app.register(proxy, {
      baseUrl: demo ? app.demoUpstreamUrl : (OPENAI_BASE_URL ?? OPENAI),
      apiKey: OPENAI_API_KEY,
      config
    })
    await app.register(
      async (v1) => {
        await v1.register(identity, { auth: config.AUTH })
        v1.addHook('onSend', async (_request, reply) => void reply.preventCache())
        const exchange = {
          defaultModel: config.DEFAULT_MODEL ?? (demo ? DEMO_MODEL : undefined),
          persist: config.PERSIST_TRANSCRIPTS,
          onDisconnect: config.ON_DISCONNECT
        }
        await v1.register(chatCompletions, exchange)
        await v1.register(storedCompletions)
        await v1.register(responses, exchange)
        await v1.register(storedResponses)
        await v1.register(conversations)
        await v1.register(items)
        await v1.register(turns)
        await v1.register(passedThrough)
      },
      { prefix: '/v1' }
    )
    await app.ready()
    return app
  } catch (err) {
    await app.close()
    throw err
  }
}
