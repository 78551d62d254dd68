import { hostname } from 'node:os'
import t from 'tap'
import { ConfigError, loadConfig } from '../config.ts'
import { SettingsSchema } from '../settings.ts'
import { spawnServer } from './helper/server-process.ts'

t.test('without settings there are defaults, on a loopback address and with nothing secret', (t) => {
  t.match(loadConfig({}), {
    DB_URL: 'sqlite:./data/turnkeeper.db',
    OPENAI_BASE_URL: undefined,
    OPENAI_API_KEY: undefined,
    DEFAULT_MODEL: undefined,
    HOST: '127.0.0.1',
    PORT: 3001,
    AUTH: 'none',
    ALLOWED_ORIGIN: undefined,
    PERSIST_TRANSCRIPTS: true,
    ON_DISCONNECT: 'abort',
    LOG_LEVEL: 'info',
    INSTANCE_ID: `${hostname()}:3001`
  })
  t.end()
})

t.test('every setting is described, and an empty one counts as not set unless it is a secret', (t) => {
  const secrets: string[] = []
  for (const [name, schema] of Object.entries(SettingsSchema.properties)) {
    t.match((schema as { description?: string }).description, /\S{3}/, `${name} is described`)
    const refused = thrownBy(() => t.same(loadConfig({ [name]: '' }), loadConfig({}), `${name} empty`))
    if (!refused) continue
    t.equal(refused.message, `${name}: is empty; give it a value, or leave it out`)
    secrets.push(name)
  }
  t.same(secrets.sort(), ['METRICS_TOKEN', 'OPENAI_API_KEY', 'REDIS_URL'])
  t.end()
})

t.test('settings take the type that they are used with, and unknown ones are no concern', (t) => {
  const config = loadConfig({
    PORT: '0',
    PERSIST_TRANSCRIPTS: 'false',
    DRAIN_TIMEOUT_MS: '0',
    INSTANCE_ID: 'pod-7',
    OPENAI_BASE_URL: 'https://api.example.org:8443/openai/v1/',
    PATH: '/usr/bin'
  })
  t.match(config, { PORT: 0, PERSIST_TRANSCRIPTS: false, DRAIN_TIMEOUT_MS: 0, INSTANCE_ID: 'pod-7' })
  t.notOk('PATH' in config)
  t.end()
})

const NOT_WHOLE = [
  'abc-xyz',
  '-1',
  '0.5',
  '3001.5',
  '1e309',
  'true',
  'NaN',
  '0x10',
  ' 1',
  '5s',
  '99999999999999'
]

t.test('a wrong value stops the start: the message names the setting and never the value', (t) => {
  const numbers = Object.entries(SettingsSchema.properties).filter(
    ([, schema]) => (schema as { type?: string }).type === 'integer'
  )
  t.ok(numbers.length >= 9)
  const cases: [setting: string, values: string[]][] = [
    ...numbers.map(([name]): [string, string[]] => [name, NOT_WHOLE]),
    ['PORT', ['65536']],
    ['MAX_REQUEST_BYTES', ['0']],
    ['AUTH', ['nobody', 'None', 'header ']],
    ['ON_DISCONNECT', ['stop', 'Abort']],
    ['LOG_LEVEL', ['verbose', 'INFO']],
    ['PERSIST_TRANSCRIPTS', ['perhaps', 'no', '2']],
    ['INSTANCE_ID', ['two words', 'é', 'x'.repeat(129)]],
    ['OPENAI_API_KEY', ['sk two', 'sk-\n', 'sk-é']],
    ['METRICS_TOKEN', ['two words', 'é', '\t']],
    ['REDIS_URL', ['hunter2', 'http://hunter2', 'redis:hunter2', 'localhost:6379']],
    ['ALLOW_INSECURE_AUTH', ['yes', '1', 'TRUE']],
    [
      'JWT_JWKS_URL',
      ['issuer.example/keys', 'file:///etc/passwd', 'https://user:hunter2@issuer.example/keys']
    ],
    [
      'OPENAI_BASE_URL',
      [
        'api.example.org/v1',
        'ftp://api.example.org/v1',
        'http://',
        'https://user:hunter2@api.example.org/v1',
        'https://api.example.org/v1?key=hunter2',
        'https://api.example.org/v1#hunter2',
        'file:///etc/passwd'
      ]
    ]
  ]
  for (const [setting, values] of cases) {
    for (const value of values) {
      const err = thrownBy(() => loadConfig({ [setting]: value }))
      t.ok(err instanceof ConfigError, `${setting}=${value} is refused`)
      t.ok(err?.message.startsWith(`${setting}: `), `${setting}=${value} is named`)
      // Numbers of one digit are part of the limits that the message states.
      if (value.length > 2) t.notOk(err?.message.includes(value), `${setting}=${value} is not quoted`)
    }
  }
  t.end()
})

const OPEN = ['0.0.0.0', '::', '192.168.1.1', 'example.org', 'localhost.example.org', '127.0.0.1.example.org']

t.test('ways that check nobody need a loopback address, or somebody who says that it is meant', (t) => {
  for (const AUTH of ['none', 'header']) {
    for (const HOST of ['127.0.0.1', '127.1.2.3', 'localhost', '::1']) {
      t.equal(loadConfig({ HOST, AUTH }).HOST, HOST)
    }
    for (const HOST of OPEN) {
      const err = thrownBy(() => loadConfig({ HOST, AUTH }))
      t.ok(err instanceof ConfigError, `${AUTH} on ${HOST}`)
      t.match(err?.message, /^AUTH: .*HOST.*ALLOW_INSECURE_AUTH/)
      t.throws(() => loadConfig({ HOST, AUTH, ALLOW_INSECURE_AUTH: 'false' }))
      t.equal(loadConfig({ HOST, AUTH, ALLOW_INSECURE_AUTH: 'true' }).HOST, HOST)
    }
  }
  for (const HOST of OPEN) t.equal(loadConfig({ HOST, AUTH: 'key' }).HOST, HOST)
  t.end()
})

t.test('AUTH=jwt needs its settings, and keys that nobody can change on their way', (t) => {
  const settings = {
    AUTH: 'jwt',
    JWT_JWKS_URL: 'https://issuer.example/keys',
    JWT_ISSUER: 'https://issuer.example/',
    JWT_AUDIENCE: 'turnkeeper'
  }
  t.match(loadConfig({ HOST: '0.0.0.0', ...settings }), { ...settings, JWT_SESSION_CLAIM: 'sub' })
  for (const name of ['JWT_JWKS_URL', 'JWT_ISSUER', 'JWT_AUDIENCE']) {
    for (const value of [undefined, '']) {
      const err = thrownBy(() => loadConfig({ ...settings, [name]: value }))
      t.equal(err?.message, `${name}: is needed with AUTH=jwt`)
    }
  }
  const keysAt = (url: string) => () => loadConfig({ ...settings, JWT_JWKS_URL: url })
  for (const host of ['127.0.0.1:8080', 'localhost', '[::1]:8080']) t.doesNotThrow(keysAt(`http://${host}/k`))
  for (const host of ['issuer.example', '10.0.0.1', '127.0.0.1.issuer.example']) {
    t.match(thrownBy(keysAt(`http://${host}/k`))?.message, /^JWT_JWKS_URL: .*https/)
  }
  t.end()
})

t.test('a start that cannot be ends with code 1 and one line that says why', async (t) => {
  const cases: [settings: Record<string, string>, line: RegExp][] = [
    [{ HOST: '0.0.0.0' }, /^turnkeeper cannot start: AUTH: .*HOST.*\n$/],
    [{ OPENAI_API_KEY: '' }, /^turnkeeper cannot start: OPENAI_API_KEY: is empty.*\n$/],
    [{ AUTH: 'jwt' }, /^turnkeeper cannot start: JWT_JWKS_URL: .*\n$/],
    [{ PORT: 'hunter2' }, /^turnkeeper cannot start: PORT: .*\n$/],
    [{ DB_URL: 'mongodb://joe:hunter2@db.example.org/turns' }, /^turnkeeper cannot start: DB_URL: .*\n$/],
    [{ DB_URL: 'joe:hunter2@db.example.org/turns' }, /^turnkeeper cannot start: DB_URL: .*\n$/],
    [{ DB_URL: 'hunter2' }, /^turnkeeper cannot start: DB_URL: .*\n$/],
    [{ DB_URL: 'sqlite:/dev/null/hunter2/x.db' }, /^turnkeeper cannot start: DB_URL: .*\n$/]
  ]
  await Promise.all(
    cases.map(async ([settings, line]) => {
      const { exited, output } = spawnServer(t, settings)
      const name = JSON.stringify(settings)
      t.equal((await exited).code, 1, name)
      t.match(output.stderr, line, name)
      t.equal(output.stderr.trim().split('\n').length, 1, `one line: ${name}`)
      t.notMatch(output.stdout + output.stderr, /hunter2/, name)
    })
  )
})

function thrownBy(work: () => unknown): Error | undefined {
  try {
    work()
    return undefined
  } catch (err) {
    return err as Error
  }
}
