import t from 'tap'
import { spawnServer } from '../helper/server-process.ts'
import { isClean, SECRETS } from './canaries.ts'

t.test('a start that fails says what is wrong, and no value', async (t) => {
  const password = `${SECRETS['database password']}`
  const starts = [
    { DB_URL: `postgres://user:${password}@127.0.0.1:1/none` },
    { DB_URL: `postgres://user:${password}@[broken/none` },
    { DB_URL: `mysql://user:${password}@127.0.0.1/none` },
    { METRICS_TOKEN: `${SECRETS['metrics token']} with a space` },
    { OPENAI_API_KEY: `${SECRETS['upstream key']} with a space` },
    { REDIS_URL: `http://:${SECRETS['redis password']}@127.0.0.1` },
    { OPENAI_BASE_URL: `https://user:${password}@127.0.0.1/v1` }
  ].map((settings) => ({ name: Object.keys(settings).join(), ...spawnServer(t, settings) }))
  for (const { name, output, exited } of starts) {
    t.equal((await exited).code, 1, name)
    t.match(output.stderr, name, 'it names the setting')
    isClean(t, output.stdout + output.stderr, SECRETS, 'what it printed')
  }
})
