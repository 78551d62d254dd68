import cors from '@fastify/cors'
import sensible from '@fastify/sensible'
import Fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify'
import { allowedOrigins, type Config } from './config.ts'
import apiDocs from './plugins/api-docs.ts'
import apiDocsPage from './plugins/api-docs-page.ts'
import bodyMemory from './plugins/body-memory.ts'
import console from './plugins/console.ts'
import { DEMO_MODEL } from './plugins/demo-upstream/answers.ts'
import demoUpstream from './plugins/demo-upstream/index.ts'
import { SAFE_ERRORS } from './plugins/error-log.ts'
import errorShape, { refuseMalformed, sendErrorShape } from './plugins/error-shape.ts'
import { SESSION_HEADER } from './plugins/identity/header.ts'
import identity from './plugins/identity/index.ts'
import lifecycle from './plugins/lifecycle.ts'
import metrics from './plugins/metrics/index.ts'
import { EXPOSED_HEADERS } from './plugins/proxy/headers.ts'
import proxy from './plugins/proxy/index.ts'
import rateLimit from './plugins/rate-limit.ts'
import requestLog from './plugins/request-log.ts'
import retention from './plugins/retention.ts'
import securityHeaders from './plugins/security-headers.ts'
import slowClients from './plugins/slow-clients.ts'
import storage from './plugins/storage.ts'
import streamLimits from './plugins/stream-limits.ts'
import tracing from './plugins/tracing/index.ts'
import validation from './plugins/validation.ts'
import { querystringParser } from './query-string.ts'
import bulkDelete from './routes/bulk-delete.ts'
import chatCompletions from './routes/chat-completions.ts'
import conversations from './routes/conversations.ts'
import items from './routes/items.ts'
import passedThrough from './routes/passed-through.ts'
import responses from './routes/responses.ts'
import stats from './routes/stats.ts'
import storedCompletions from './routes/stored-completions.ts'
import storedResponses from './routes/stored-responses.ts'
import turns from './routes/turns.ts'

export { migrateStore } from './plugins/storage.ts'

const OPENAI = 'https://api.openai.com/v1'
/** Node looks for late heads and bodies this often; a timeout may take that much longer. */
const TIMEOUTS_CHECKED_EVERY_MS = 5_000
/** Node adds a second to it, and its timers take no more than 31 bits. */
const LONGEST_KEEP_ALIVE_MS = 2_147_482_647
/** How long a browser need not ask again whether it may call. */
const PREFLIGHT_KNOWN_S = 600

/** The whole service, ready to listen. Rejects with `ConfigError` when a setting cannot be used. */
export async function buildApp(
  config: Config,
  logger: FastifyServerOptions['logger'] = false
): Promise<FastifyInstance> {
  const app = Fastify({
    logger: typeof logger === 'object' ? { ...logger, ...SAFE_ERRORS } : logger,
    logController: new LogController({ disableRequestLogging: true }), // request-log writes its own line
    bodyLimit: config.MAX_REQUEST_BYTES,
    requestTimeout: config.REQUEST_TIMEOUT_MS,
    keepAliveTimeout: Math.min(config.KEEP_ALIVE_TIMEOUT_MS, LONGEST_KEEP_ALIVE_MS),
    http: {
      // Node refuses a time for the head above that for the whole, which means the same as no more than it.
      requestTimeout: config.REQUEST_TIMEOUT_MS,
      headersTimeout: Math.min(
        config.HEADERS_TIMEOUT_MS,
        config.REQUEST_TIMEOUT_MS || Number.POSITIVE_INFINITY
      ),
      maxHeaderSize: config.MAX_HEADER_BYTES,
      connectionsCheckingInterval: TIMEOUTS_CHECKED_EVERY_MS
    },
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
    await app.register(validation, {
      maxDepth: config.MAX_JSON_DEPTH,
      maxValues: config.MAX_JSON_VALUES,
      maxMessages: config.MAX_MESSAGES
    })
    await app.register(securityHeaders)
    await app.register(apiDocs, { auth: config.AUTH })
    await app.register(tracing, {
      endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
      serviceName: config.OTEL_SERVICE_NAME
    })
    await app.register(requestLog)
    await app.register(metrics, { token: config.METRICS_TOKEN, host: config.HOST })
    await app.register(slowClients, { timeoutMs: config.CLIENT_IDLE_TIMEOUT_MS })
    const limits = {
      maxTurns: config.MAX_TURNS_PER_CONVERSATION || null,
      maxConversations: config.MAX_CONVERSATIONS_PER_SESSION || null
    }
    await app.register(storage, {
      dbUrl: config.DB_URL,
      owner: config.INSTANCE_ID,
      finalWriteTimeoutMs: config.FINAL_WRITE_TIMEOUT_MS,
      infersThreads: config.THREADING === 'on',
      ...limits
    })
    await app.register(retention, { days: config.RETENTION_DAYS })
    await app.register(lifecycle)
    const origins = allowedOrigins(config)
    await app.register(cors, {
      origin: origins.length > 0 ? origins : false,
      methods: ['GET', 'HEAD', 'POST', 'DELETE'],
      exposedHeaders: EXPOSED_HEADERS,
      maxAge: PREFLIGHT_KNOWN_S,
      strictPreflight: false // an OPTIONS that is none is no error either, and would not be in the error shape
    })
    await app.register(apiDocsPage)
    if (config.CONSOLE) await app.register(console)
    await app.register(streamLimits, {
      max: config.MAX_STREAMS,
      maxPerSession: config.MAX_STREAMS_PER_SESSION
    })
    const { OPENAI_BASE_URL, OPENAI_API_KEY } = config
    const demo = OPENAI_BASE_URL === undefined && OPENAI_API_KEY === undefined
    if (demo) await app.register(demoUpstream)
    await app.register(proxy, {
      baseUrl: demo ? app.demoUpstreamUrl : (OPENAI_BASE_URL ?? OPENAI),
      apiKey: OPENAI_API_KEY,
      config,
      figures: app.metrics.proxy
    })
    await app.register(
      async (v1) => {
        // Not `onSend`: the proxy takes the headers before.
        v1.addHook('onRequest', (_request, reply, done) => {
          reply.preventCache()
          done()
        })
        await v1.register(identity, { config, allowedOrigins: origins })
        await v1.register(rateLimit, { perMinute: config.RATE_LIMIT_PER_MINUTE, redisUrl: config.REDIS_URL })
        const reading = { maxPageBytes: config.MAX_PAGE_BYTES, maxHistoryBytes: config.MAX_HISTORY_BYTES }
        await v1.register(bodyMemory, {
          maxBytes: config.MAX_BODIES_BYTES,
          bytesUntold: config.MAX_REQUEST_BYTES
        })
        const exchange = {
          maxHistoryBytes: reading.maxHistoryBytes,
          defaultModel: config.DEFAULT_MODEL ?? (demo ? DEMO_MODEL : undefined),
          persist: config.PERSIST_TRANSCRIPTS,
          onDisconnect: config.ON_DISCONNECT,
          sessionHeader: config.AUTH === 'header' ? SESSION_HEADER : null
        }
        await v1.register(chatCompletions, exchange)
        await v1.register(storedCompletions, reading)
        await v1.register(responses, exchange)
        await v1.register(storedResponses, reading)
        await v1.register(conversations, limits)
        await v1.register(bulkDelete)
        await v1.register(items, { ...limits, ...reading })
        await v1.register(turns, reading)
        await v1.register(stats)
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
