import { hostname } from 'node:os'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'
import { fromText } from './from-text.ts'

const duration = (ms: number, description: string) =>
  Type.Integer({ minimum: 0, maximum: 2_147_483_647, default: ms, description })
const byteCount = (bytes: number, description: string) =>
  Type.Integer({ minimum: 1, maximum: 1_073_741_824, default: bytes, description })

/** Every setting, its default and what it means. The README's table is held to this by a test. */
export const ConfigSchema = Type.Object({
  DB_URL: Type.String({
    default: 'sqlite:./data/turnkeeper.db',
    description: 'Where turns are kept: `sqlite:<file>`, `postgres://…` or `filejson:<folder>`.'
  }),
  OPENAI_BASE_URL: Type.Optional(
    Type.String({
      pattern: '^https?://[^/?#@]+(/[^?#]*)?$',
      description:
        'The upstream, up to and including `/v1`. Default: OpenAI when `OPENAI_API_KEY` is set, else the built-in demo.'
    })
  ),
  OPENAI_API_KEY: Type.Optional(
    Type.String({ pattern: '^[\\x21-\\x7e]+$', description: 'Sent to the upstream as the bearer token.' })
  ),
  DEFAULT_MODEL: Type.Optional(Type.String({ description: 'Used where a request names no model.' })),
  HOST: Type.String({ default: '127.0.0.1', description: 'Address to listen on.' }),
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 3001, description: 'Port to listen on.' }),
  AUTH: Type.Union([Type.Literal('none'), Type.Literal('header')], {
    default: 'none',
    description:
      'Who owns a conversation. `none`: one local session, loopback only. `header`: the `x-session-id` header, set by a gateway you trust.'
  }),
  ALLOWED_ORIGIN: Type.Optional(
    Type.String({ description: 'Browser origins that may call, comma-separated, exact. Default: none.' })
  ),
  PERSIST_TRANSCRIPTS: Type.Boolean({
    default: true,
    description: '`false`: proxy only, nothing is recorded.'
  }),
  ON_DISCONNECT: Type.Union([Type.Literal('abort'), Type.Literal('finish')], {
    default: 'abort',
    description:
      'When a client leaves mid-answer: `abort` cancels the upstream, `finish` reads on and keeps the whole answer.'
  }),
  LOG_LEVEL: Type.Union(
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'].map((level) => Type.Literal(level)),
    { default: 'info', description: 'Least severe log level that is printed.' }
  ),
  INSTANCE_ID: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9._:-]{1,128}$',
      description: 'Name of this process, the same after a restart. Default: host name and port.'
    })
  ),
  MAX_REQUEST_BYTES: byteCount(20_971_520, 'Largest request body.'),
  MAX_ANSWER_BYTES: byteCount(8_388_608, 'Largest answer that is read from the upstream.'),
  REQUEST_TIMEOUT_MS: duration(30_000, 'Longest time to receive a whole request; 0 = no limit.'),
  UPSTREAM_HEADERS_TIMEOUT_MS: duration(
    600_000,
    "Longest wait for the upstream's response headers; 0 = no limit."
  ),
  UPSTREAM_IDLE_TIMEOUT_MS: duration(
    300_000,
    'Longest silence of the upstream inside an answer; 0 = no limit.'
  ),
  FINAL_WRITE_TIMEOUT_MS: duration(
    30_000,
    'How long a finished answer is retried, and `[DONE]` held back, when the store fails.'
  ),
  DRAIN_DELAY_MS: duration(
    0,
    'On SIGTERM: time between `/readyz` turning 503 and the port closing. Behind a load balancer: 5000.'
  ),
  DRAIN_TIMEOUT_MS: duration(25_000, 'After that: longest time that running answers may still take.')
})

type Settings = Static<typeof ConfigSchema>
export type Config = Settings & { INSTANCE_ID: string }

/** A setting that stops the start. The message names the setting and never its value. */
export class ConfigError extends Error {
  constructor(setting: string, reason: string, cause?: unknown) {
    super(`${setting}: ${reason}`, { cause })
    this.name = 'ConfigError'
  }
}

export function isLoopback(host: string): boolean {
  return /^(localhost|127\.\d+\.\d+\.\d+|::1)$/i.test(host)
}

/** Reads the settings from `env`. An empty value counts as not set. Throws `ConfigError`. */
export function loadConfig(env: Record<string, string | undefined>): Config {
  const given = Object.keys(ConfigSchema.properties).flatMap((name) => (env[name] ? [[name, env[name]]] : []))
  const settings = fromText(ConfigSchema, Object.fromEntries(given))
  const [first] = Value.Errors(ConfigSchema, settings)
  if (first) {
    const setting = first.instancePath.split('/')[1] ?? 'settings'
    throw new ConfigError(setting, expectation(setting))
  }
  const config = settings as Settings
  if (config.AUTH === 'none' && !isLoopback(config.HOST)) {
    throw new ConfigError(
      'AUTH',
      'none serves everything as one session and so needs HOST to be a loopback address'
    )
  }
  if (config.OPENAI_BASE_URL !== undefined && !URL.canParse(config.OPENAI_BASE_URL)) {
    throw new ConfigError('OPENAI_BASE_URL', 'is not a URL')
  }
  return { ...config, INSTANCE_ID: config.INSTANCE_ID ?? `${hostname()}:${config.PORT || process.pid}` }
}

/** What a setting must be, in words, from its schema. */
function expectation(setting: string): string {
  const schema: { type?: string; anyOf?: { const: unknown }[]; minimum?: number; maximum?: number } =
    ConfigSchema.properties[setting as keyof typeof ConfigSchema.properties] ?? {}
  if (schema.anyOf) return `must be one of ${schema.anyOf.map((option) => option.const).join(', ')}`
  if (schema.type === 'integer') return `must be a whole number from ${schema.minimum} to ${schema.maximum}`
  if (schema.type === 'boolean') return 'must be true or false'
  return 'is not of the expected form'
}
