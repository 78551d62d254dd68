import { Type } from 'typebox'

const duration = (ms: number, description: string) =>
  Type.Integer({ minimum: 0, maximum: 2_147_483_647, default: ms, description })
const byteCount = (bytes: number, description: string) =>
  Type.Integer({ minimum: 1, maximum: 1_073_741_824, default: bytes, description })
/** A limit that 0 takes away. */
const limit = (count: number, description: string) =>
  Type.Integer({ minimum: 0, maximum: 2_147_483_647, default: count, description })
/** A value that must not be empty where it is given: an empty one is a mistake in a deployment. */
const secret = (description: string) =>
  Type.Optional(Type.String({ pattern: '^[\\x21-\\x7e]+$', secret: true, description }))
const httpUrl = (description: string) =>
  Type.Optional(Type.String({ pattern: '^https?://[^/?#@]+(/[^?#]*)?$', description }))
const oneOf = <T extends string>(values: readonly T[], initial: T, description: string) =>
  Type.Unsafe<T>(
    Type.Union(
      values.map((value) => Type.Literal(value)),
      { default: initial, description }
    )
  )

/** Every setting, its default and what it means. The table in docs/configuration.md is held to this by a test. */
export const SettingsSchema = Type.Object({
  DB_URL: Type.String({
    default: 'sqlite:./data/turnkeeper.db',
    description: 'Where turns are kept: `sqlite:<file>`, `postgres://…` or `filejson:<folder>`.'
  }),
  PERSIST_TRANSCRIPTS: Type.Boolean({
    default: true,
    description: '`false`: proxy only, nothing is recorded.'
  }),
  THREADING: oneOf(
    ['on', 'off'],
    'on',
    'Where a request names no conversation: `on` finds the one it goes on with, by the history that it sends or by a header of a known client; `off` begins a new one each time.'
  ),
  RETENTION_DAYS: Type.Integer({
    minimum: 0,
    maximum: 36_500,
    default: 0,
    description:
      'Conversations that are not pinned are deleted this many days after their newest turn began; 0 = kept.'
  }),

  OPENAI_BASE_URL: httpUrl(
    'The upstream, up to and including `/v1`. Default: OpenAI when `OPENAI_API_KEY` is set, else the built-in demo.'
  ),
  OPENAI_API_KEY: secret('Sent to the upstream as the bearer token.'),
  DEFAULT_MODEL: Type.Optional(Type.String({ description: 'Used where a request names no model.' })),
  ON_DISCONNECT: oneOf(
    ['abort', 'finish'],
    'abort',
    'When a client leaves mid-answer: `abort` cancels the upstream, `finish` reads on and keeps the whole answer.'
  ),

  HOST: Type.String({ default: '127.0.0.1', description: 'Address to listen on.' }),
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 3001, description: 'Port to listen on.' }),
  AUTH: oneOf(
    ['none', 'header', 'key', 'jwt'],
    'none',
    'Who owns a conversation. `none`: one local session. `header`: the `x-session-id` header, set by a gateway you trust. `key`: the session of an API key (`npm run keys`). `jwt`: a claim of a signed token.'
  ),
  ALLOW_INSECURE_AUTH: Type.Boolean({
    default: false,
    description:
      '`true`: `AUTH=none` and `AUTH=header`, which check nobody, may listen on an address that others reach.'
  }),
  JWT_JWKS_URL: httpUrl('`AUTH=jwt`: where the public keys of the issuer are (RFC 7517).'),
  JWT_ISSUER: Type.Optional(Type.String({ description: '`AUTH=jwt`: what `iss` must be.' })),
  JWT_AUDIENCE: Type.Optional(Type.String({ description: '`AUTH=jwt`: what `aud` must be or contain.' })),
  JWT_SESSION_CLAIM: Type.String({
    default: 'sub',
    description: '`AUTH=jwt`: the claim that names the session.'
  }),
  ALLOWED_ORIGIN: Type.Optional(
    Type.String({ description: 'Browser origins that may call, comma-separated, exact. Default: none.' })
  ),

  MAX_REQUEST_BYTES: byteCount(20_971_520, 'Largest request body.'),
  MAX_BODIES_BYTES: limit(
    268_435_456,
    'Most bytes of request bodies under way in this process, from their first byte until they are answered; one session may have a quarter. 0 = no limit.'
  ),
  MAX_HEADER_BYTES: byteCount(16_384, 'Largest request head: request line and headers.'),
  MAX_JSON_DEPTH: Type.Integer({
    minimum: 8,
    maximum: 64,
    default: 64,
    description: 'Deepest nesting of a request body, in levels.'
  }),
  MAX_JSON_VALUES: limit(
    200_000,
    'Most values in a request body, keys not counted, and 10,000 members in one object; 0 = no limit.'
  ),
  MAX_MESSAGES: limit(2_000, 'Most messages, or input items, of one request; 0 = no limit.'),
  MAX_ANSWER_BYTES: byteCount(8_388_608, 'Largest answer that is read from the upstream.'),
  MAX_PAGE_BYTES: byteCount(
    8_388_608,
    'Most bytes of content in one page of turns, items or messages; a page has one entry at least.'
  ),
  MAX_HISTORY_BYTES: byteCount(
    33_554_432,
    'Largest history that is put in front of a request with `conversation` or `previous_response_id`.'
  ),
  MAX_STREAMS: limit(2_000, 'Most answers under way in this process; 0 = no limit.'),
  MAX_STREAMS_PER_SESSION: limit(
    100,
    'Most answers under way for one session in this process; 0 = no limit.'
  ),
  MAX_TURNS_PER_CONVERSATION: limit(10_000, 'Most turns of one conversation; 0 = no limit.'),
  MAX_CONVERSATIONS_PER_SESSION: limit(0, 'Most conversations of one session; 0 = no limit.'),
  RATE_LIMIT_PER_MINUTE: limit(0, 'Most requests of one session in a minute; 0 = no limit.'),
  REDIS_URL: Type.Optional(
    Type.String({
      pattern: '^rediss?://',
      secret: true,
      description:
        'Redis or Valkey in which instances count `RATE_LIMIT_PER_MINUTE` together. Default: each instance counts alone.'
    })
  ),

  HEADERS_TIMEOUT_MS: duration(15_000, 'Longest time to receive the head of a request; 0 = no limit.'),
  REQUEST_TIMEOUT_MS: duration(30_000, 'Longest time to receive a whole request; 0 = no limit.'),
  KEEP_ALIVE_TIMEOUT_MS: duration(
    72_000,
    'How long a connection that nobody uses is kept open; 0 = no limit.'
  ),
  CLIENT_IDLE_TIMEOUT_MS: duration(
    60_000,
    'Longest time in which a client takes nothing of an answer that waits for it; 0 = no limit.'
  ),
  UPSTREAM_HEADERS_TIMEOUT_MS: duration(
    600_000,
    "Longest wait for the upstream's response headers; 0 = no limit."
  ),
  UPSTREAM_IDLE_TIMEOUT_MS: duration(
    300_000,
    'Longest silence of the upstream inside an answer; 0 = no limit.'
  ),
  MAX_ANSWER_MS: duration(1_800_000, 'Longest time an answer may take; 0 = no limit.'),
  FINAL_WRITE_TIMEOUT_MS: duration(
    30_000,
    'How long a finished answer is retried, and `[DONE]` held back, when the store fails.'
  ),
  DRAIN_DELAY_MS: duration(
    0,
    'On SIGTERM: time between `/readyz` turning 503 and the port closing. Behind a load balancer: 5000.'
  ),
  DRAIN_TIMEOUT_MS: duration(25_000, 'After that: longest time that running answers may still take.'),

  CONSOLE: Type.Boolean({
    default: true,
    description: '`false`: no console at `/`, and nothing of it is served.'
  }),

  LOG_LEVEL: oneOf(
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    'info',
    'Least severe log level that is printed.'
  ),
  INSTANCE_ID: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9._:-]{1,128}$',
      description: 'Name of this process, the same after a restart. Default: host name and port.'
    })
  ),
  METRICS_TOKEN: secret(
    'The bearer token that `/metrics` asks for. Without one it is served on a loopback address alone.'
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl(
    'An OpenTelemetry collector (OTLP over HTTP) that traces go to. Default: no traces.'
  ),
  OTEL_SERVICE_NAME: Type.String({
    default: 'turnkeeper',
    description: 'The name of this service in traces.'
  })
})
