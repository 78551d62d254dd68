import { Writable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { buildApp } from '../../app.ts'
import { loadConfig } from '../../config.ts'
import { tempFolder } from '../helper/app.ts'
import { eventually, within } from '../helper/endings.ts'
import { startRedis, withoutRedis } from '../helper/redis.ts'
import { type Reply, request } from '../helper/request.ts'
import { accepts, freePort } from '../integration/nginx.ts'

const skip = withoutRedis
const LIMIT = 20
const ALICE = 'alice@example.org'

interface Instance {
  call(session?: string): Promise<Reply>
  /** The lines of its log that speak of Redis. */
  log(): string[]
  close(): Promise<void>
}

/** The service in front of a Redis, which need not be there. */
async function startInstance(t: Test, redisUrl: string): Promise<Instance> {
  const config = loadConfig({
    DB_URL: `sqlite:${tempFolder(t)}/test.db`,
    PORT: '0',
    AUTH: 'header',
    RATE_LIMIT_PER_MINUTE: String(LIMIT),
    REDIS_URL: redisUrl
  })
  const lines: string[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(...String(chunk).split('\n').filter(Boolean))
      done()
    }
  })
  const app = await buildApp(config, { level: 'trace', stream })
  t.teardown(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    call: (session = ALICE) => request(`${url}/v1/conversations`, { headers: { 'x-session-id': session } }),
    log: () => lines.filter((line) => line.includes('Redis')),
    close: () => app.close()
  }
}

const allowed = (replies: Reply[]) => replies.filter(({ status }) => status === 200).length
const remaining = ({ headers }: Reply) => Number(headers.get('x-ratelimit-remaining-requests'))

t.test('three instances share one limit exactly', { skip }, async (t) => {
  const { redis, replies } = await allTogether(t)
  t.equal(allowed(replies), LIMIT)
  t.equal(replies.filter(({ status }) => status === 429).length, 60 - LIMIT)
  const left = replies.filter(({ status }) => status === 200).map(remaining)
  t.same(
    left.sort((a, b) => a - b),
    [...Array(LIMIT).keys()],
    'each place is given once'
  )

  const client = new Redis(redis.url)
  const keys = await client.keys('*')
  const ttl = await client.pttl(keys[0] ?? '')
  client.disconnect()
  t.equal(keys.length, 1)
  t.match(keys[0], /^turnkeeper:requests:[\w-]{43}$/, 'the session itself is not in the key')
  t.ok(ttl > 0 && ttl <= 60_000, `the key goes after ${ttl} ms`)
})

/**
 * What three instances answer to 60 calls at once. Where one has lost its Redis meanwhile, which a busy machine can do
 * to it, that is made anew: it counts alone then, as it should.
 */
async function allTogether(t: Test) {
  for (let attempt = 1; ; attempt += 1) {
    const redis = await startRedis(t)
    const instances = await Promise.all([1, 2, 3].map(() => startInstance(t, redis.url)))
    const calls = Array.from({ length: 60 }, (_, i) => (instances[i % 3] as Instance).call())
    const replies = await Promise.all(calls)
    const lost = instances.some((instance) => instance.log().length > 0)
    if (!lost || attempt === 5) return { redis, replies }
  }
}

t.test('while Redis is down each instance counts alone, and together again after it', { skip }, async (t) => {
  const redis = await startRedis(t)
  const [one, two] = [await startInstance(t, redis.url), await startInstance(t, redis.url)]
  for (const instance of [one, two]) t.equal((await instance.call()).status, 200)

  await redis.kill()
  for (const instance of [one, two]) {
    const replies = await Promise.all(Array.from({ length: 30 }, () => instance.call()))
    t.equal(allowed(replies), LIMIT, 'the limit holds, for this instance alone')
  }

  await redis.start()
  await eventually('both count in Redis', () =>
    [one, two].every((instance) => instance.log().some((line) => line.includes('there again')))
  )
  const replies = await Promise.all(Array.from({ length: 60 }, (_, i) => (i % 2 ? one : two).call()))
  t.equal(allowed(replies), LIMIT)
  for (const instance of [one, two]) t.equal(instance.log().length, 2, 'one line for each change')
})

t.test('a Redis that is not there when the service starts holds nothing up', { skip }, async (t) => {
  const port = await freePort()
  t.equal(await accepts(port), false)
  const instance = await within(10_000, 'the start', startInstance(t, `redis://:s3cret@127.0.0.1:${port}`))
  const replies = await Promise.all(Array.from({ length: 30 }, () => instance.call()))
  t.equal(allowed(replies), LIMIT)
  t.equal(instance.log().length, 1)
  t.notMatch(instance.log().join(), 's3cret')
  await within(5_000, 'the close', instance.close())
})

t.test('a wrong password for Redis stops nobody and stays secret', { skip }, async (t) => {
  const redis = await startRedis(t, '--requirepass', 'right')
  const instance = await startInstance(t, redis.url.replace('//', '//:s3cret@'))
  t.equal((await instance.call()).status, 200)
  t.match(instance.log(), [/counts requests alone/])
  t.notMatch(instance.log().join(), 's3cret')
  await within(5_000, 'the close', instance.close())
})

t.test('a Redis that hangs holds a request up for moments only', { skip }, async (t) => {
  const redis = await startRedis(t)
  const instance = await startInstance(t, redis.url)
  t.equal((await instance.call()).status, 200)
  redis.process.kill('SIGSTOP')
  t.teardown(() => redis.process.kill('SIGCONT'))
  const reply = await within(5_000, 'an answer', instance.call())
  t.equal(reply.status, 200)
  t.match(instance.log(), [/counts requests alone/])
  await within(5_000, 'the close', instance.close())
})

t.test(
  'of a Redis that goes on hanging one request in a second finds out, and its return is told',
  { skip },
  async (t) => {
    const redis = await startRedis(t)
    const instance = await startInstance(t, redis.url)
    await instance.call()
    const slowOf = async (count: number): Promise<number> => {
      const times = await Promise.all(
        Array.from({ length: count }, async (_, i) => {
          const start = performance.now()
          await instance.call(`session-${i}`)
          return performance.now() - start
        })
      )
      return times.filter((ms) => ms > 400).length
    }
    for (const round of [1, 2]) {
      redis.process.kill('SIGSTOP')
      t.teardown(() => redis.process.kill('SIGCONT'))
      await instance.call()
      await setTimeout(1_500)
      t.equal(await slowOf(10), 1, 'one request of ten waits for it')
      redis.process.kill('SIGCONT')
      await setTimeout(2_000)
      t.equal(await slowOf(10), 0)
      t.equal(instance.log().length, 2 * round, 'a line when it goes and one when it comes back')
    }
  }
)
