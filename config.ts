import { hostname } from 'node:os'
import type { Static } from 'typebox'
import { Value } from 'typebox/value'
import { textReader } from './from-text.ts'
import { SettingsSchema } from './settings.ts'

type Settings = Static<typeof SettingsSchema>
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

/**
 * Reads the settings from `env`. An empty value counts as not set, but for secrets: there it is a mistake in the
 * deployment. Throws `ConfigError`.
 */
export function loadConfig(env: Record<string, string | undefined>): Config {
  const names = Object.keys(SettingsSchema.properties)
  const empty = names.find((name) => env[name] === '' && isSecret(name))
  if (empty) throw new ConfigError(empty, 'is empty; give it a value, or leave it out')
  const given = names.flatMap((name) => (env[name] ? [[name, env[name]]] : []))
  const settings = textReader(SettingsSchema)(Object.fromEntries(given))
  const [first] = Value.Errors(SettingsSchema, settings)
  if (first) {
    const setting = first.instancePath.split('/')[1] ?? 'settings'
    throw new ConfigError(setting, expectation(setting))
  }
  const config = settings as Settings
  assertAuth(config)
  for (const origin of allowedOrigins(config)) assertOrigin(origin)
  for (const name of ['OPENAI_BASE_URL', 'JWT_JWKS_URL', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const) {
    const url = config[name]
    if (url !== undefined && !URL.canParse(url)) throw new ConfigError(name, 'is not a URL')
  }
  return { ...config, INSTANCE_ID: config.INSTANCE_ID ?? `${hostname()}:${config.PORT || process.pid}` }
}

/** The origins of `ALLOWED_ORIGIN`, as browsers send them. */
export function allowedOrigins({ ALLOWED_ORIGIN }: Pick<Settings, 'ALLOWED_ORIGIN'>): string[] {
  return ALLOWED_ORIGIN?.split(',').map((origin) => origin.trim()) ?? []
}

/** What no browser ever sends would never match; apps have schemes of their own. */
function assertOrigin(origin: string): void {
  const isWeb = /^https?:/.test(origin)
  const wellFormed = /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9_.:[\]-]+$/.test(origin)
  if (wellFormed && (!isWeb || (URL.canParse(origin) && new URL(origin).origin === origin))) return
  throw new ConfigError(
    'ALLOWED_ORIGIN',
    'must be origins as browsers send them, `scheme://host` or `scheme://host:port` in small letters, with commas between'
  )
}

function assertAuth(config: Settings): void {
  const { AUTH, HOST, JWT_JWKS_URL } = config
  const checksNobody = AUTH === 'none' || AUTH === 'header'
  if (checksNobody && !config.ALLOW_INSECURE_AUTH && !isLoopback(HOST)) {
    throw new ConfigError(
      'AUTH',
      `${AUTH} checks nobody, so HOST must be a loopback address; ALLOW_INSECURE_AUTH=true says that only whom you trust reaches this server`
    )
  }
  if (AUTH !== 'jwt') return
  for (const name of ['JWT_JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE'] as const) {
    if (config[name] === undefined) throw new ConfigError(name, 'is needed with AUTH=jwt')
  }
  const { protocol, hostname } = new URL(JWT_JWKS_URL ?? '')
  if (protocol !== 'https:' && !isLoopback(hostname.replace(/^\[|\]$/g, ''))) {
    throw new ConfigError(
      'JWT_JWKS_URL',
      'must be an https URL: whoever can change these keys can be anybody'
    )
  }
}

function isSecret(setting: string): boolean {
  return 'secret' in (SettingsSchema.properties[setting as keyof typeof SettingsSchema.properties] ?? {})
}

/** What a setting must be, in words, from its schema. */
function expectation(setting: string): string {
  const schemas: Record<string, unknown> = SettingsSchema.properties
  const schema = (schemas[setting] ?? {}) as {
    type?: string
    anyOf?: { const: unknown }[]
    minimum?: number
    maximum?: number
  }
  if (schema.anyOf) return `must be one of ${schema.anyOf.map((option) => option.const).join(', ')}`
  if (schema.type === 'integer') return `must be a whole number from ${schema.minimum} to ${schema.maximum}`
  if (schema.type === 'boolean') return 'must be true or false'
  return 'is not of the expected form'
}
