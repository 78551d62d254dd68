import { Writable } from 'node:stream'
import { SettingsSchema } from '../../settings.ts'

/** Stand for secrets in every test that has none of its own. */
export const CANARY = {
  upstreamKey: 'sk-canary-of-the-upstream',
  clientKey: 'sk-canary-of-the-client',
  cookie: 'canary-of-the-cookie'
}

/** What a test gives as a secret may be a word that a log says anyway. */
const MIN_LENGTH = 6

export interface CanaryLog {
  stream: Writable
  /** Throws when a line was no JSON object of its own, or had a secret in it. */
  assertClean(): void
}

/** A log that takes every line, and looks whether it says a canary or a secret among `settings`. */
export function canaryLog(settings: Record<string, string>): CanaryLog {
  const secrets = [...Object.values(CANARY), ...secretsIn(settings)]
  const faults: string[] = []
  const stream = new Writable({
    decodeStrings: false,
    write(line: string, _encoding, done) {
      if (!isObject(line)) faults.push(`not one JSON object: ${line}`)
      for (const secret of secrets) if (line.includes(secret)) faults.push(`${secret} is in the log: ${line}`)
      done()
    }
  })
  return {
    stream,
    assertClean() {
      if (faults.length > 0) throw new Error(faults.slice(0, 3).join('\n'))
    }
  }
}

function secretsIn(settings: Record<string, string>): string[] {
  const isSecret = (name: string) =>
    'secret' in ((SettingsSchema.properties as Record<string, object>)[name] ?? {})
  const given = Object.entries(settings).map(([name, value]) => (isSecret(name) ? value : passwordIn(value)))
  return given.filter((secret) => secret.length >= MIN_LENGTH)
}

function passwordIn(value: string): string {
  return URL.canParse(value) ? new URL(value).password : ''
}

function isObject(line: string): boolean {
  try {
    const value = JSON.parse(line)
    return line.endsWith('\n') && typeof value === 'object' && value !== null && !Array.isArray(value)
  } catch {
    return false
  }
}
