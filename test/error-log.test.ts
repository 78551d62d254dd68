import { Writable } from 'node:stream'
import Fastify from 'fastify'
import pg from 'pg'
import t from 'tap'
import { ApiError } from '../errors.ts'
import { SAFE_ERRORS } from '../plugins/error-log.ts'
import { createUpstream } from '../plugins/proxy/upstream.ts'
import { parseDocument } from '../storage/drivers/filejson/document.ts'
import { openStore } from '../storage/open-store.ts'
import { StoreError } from '../storage/store-error.ts'
import { startDatabase } from './helper/postgres.ts'

const SECRET = 'SECRETSECRET'

/** What a log of every level holds of `err`, given in each of the ways in which an error is logged. */
async function logged(err: unknown): Promise<{ text: string; err: ReturnType<typeof JSON.parse> }> {
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk
      done()
    }
  })
  const { log } = Fastify({ logger: { level: 'trace', stream, ...SAFE_ERRORS } })
  log.error({ err }, 'with words')
  log.error({ err })
  if (err instanceof Error) log.error(err)
  return { text, err: JSON.parse(text.split('\n')[0] ?? '').err }
}

async function errorOf(work: () => unknown): Promise<Error> {
  try {
    await work()
  } catch (err) {
    return err as Error
  }
  throw new Error('nothing was thrown')
}

/** Errors of other people's code that quote what they were given; each holds the secret somewhere. */
async function foreignErrors(): Promise<Record<string, Error>> {
  const client = new pg.Client(await startDatabase())
  await client.connect()
  await client.query('create table kept (word text constraint one_word unique, number integer)')
  await client.query('insert into kept values ($1)', [SECRET])
  const errors = {
    'a unique violation of Postgres': await errorOf(() =>
      client.query('insert into kept values ($1)', [SECRET])
    ),
    'a cast of Postgres': await errorOf(() => client.query('select $1::integer', [SECRET])),
    'a JSON text that is none': await errorOf(() => JSON.parse(SECRET)),
    'a URL that is none': await errorOf(() => new URL(SECRET)),
    'a header that cannot be sent': await errorOf(() => new Headers({ [`${SECRET} x`]: 'x' })),
    'an error with fields': Object.assign(new Error('x'), { headers: { key: SECRET }, path: SECRET }),
    'an error with frames in its message': new Error(`x\n    at ${SECRET} (/${SECRET}:1:1)\n    at ${SECRET}`)
  }
  await client.end()
  return errors
}

t.test('a log names errors and never quotes what they were about', async (t) => {
  for (const [name, err] of Object.entries(await foreignErrors())) {
    t.ok(JSON.stringify([err, err.message, err.stack]).includes(SECRET), `${name} holds the secret`)
    const plain = await logged(err)
    t.notMatch(plain.text, SECRET, name)
    t.match(plain.err.stack, /^ {4}at /, `${name}: it says where`)
    const wrapped = await logged(
      new ApiError(503, 'x', 'A sentence.', { cause: new StoreError('STORE_UNAVAILABLE', 'y', err) })
    )
    t.notMatch(wrapped.text, SECRET, `${name}, as a cause`)
    t.match(wrapped.err, {
      message: 'A sentence.',
      cause: { code: 'STORE_UNAVAILABLE', cause: { name: err.name } }
    })
  }
})

t.test('codes and constraints are told: they say what to do', async (t) => {
  const errors = await foreignErrors()
  const violation = await logged(errors['a unique violation of Postgres'])
  t.match(violation.err, { name: 'error', code: '23505', constraint: 'one_word' })
  const upstream = createUpstream('http://127.0.0.1:9/v1', SECRET)
  const refused = await new Promise((onError) =>
    upstream.call({ method: 'GET', path: `/${SECRET}` }, { onHeaders() {}, onData() {}, onEnd() {}, onError })
  )
  await upstream.close()
  const { text, err } = await logged(refused)
  t.match(err, { name: 'Error', code: 'ECONNREFUSED' })
  t.notMatch(text, SECRET)
})

t.test('what is no error, and an error that causes itself, are logged, too', async (t) => {
  const circle = new Error(SECRET)
  circle.cause = circle
  for (const thrown of [
    circle,
    SECRET,
    null,
    undefined,
    1,
    { message: SECRET, stack: SECRET, name: SECRET.repeat(9) }
  ]) {
    const { text } = await logged(thrown)
    t.match(text, 'with words')
    t.notMatch(text, SECRET)
  }
})

t.test("the stores' own messages quote nothing, for they are logged", async (t) => {
  const store = await openStore(await startDatabase(), { report() {} })
  t.teardown(() => store.close())
  await store.initialize()
  const cast = await errorOf(() => store.listConversations('s', { limit: SECRET as never, order: 'asc' }))
  t.match(cast.message, 'SQLSTATE 22P02')
  t.notMatch(cast.message, SECRET)
  const instants = { last_seq: 0, created_at: 1, active_at: 1 }
  const names = { session_id: 's', title: null, model: null, pinned: false, turns: [] }
  const document = { ...names, ...instants, metadata: { [SECRET]: 1 } }
  const unreadable = await errorOf(() => parseDocument(Buffer.from(JSON.stringify(document))))
  t.match(unreadable.message, /^\/metadata\b/)
  t.notMatch(unreadable.message, SECRET)
})
