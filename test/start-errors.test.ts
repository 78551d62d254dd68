import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import net, { type AddressInfo } from 'node:net'
import path from 'node:path'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { openStore } from '../storage/open-store.ts'
import { tempFolder } from './helper/app.ts'
import { within } from './helper/endings.ts'
import { startDatabase, startPostgres } from './helper/postgres.ts'
import { connect } from './helper/postgres-client.ts'
import { spawnServer, startServer } from './helper/server-process.ts'

const PASSWORD = 'canary-db-password'

async function freshStore(dbUrl: string): Promise<void> {
  const store = await openStore(dbUrl, { report() {} })
  await store.initialize()
  await store.close()
}

/** A loopback port: one that nobody listens on, or one whose connections get no answer. */
async function port(t: Test, silent: boolean): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  if (silent) t.teardown(() => void server.close())
  else await new Promise<void>((resolve) => server.close(() => resolve()))
  return port
}

/** A database, and a role on its server that has another password. */
async function strictRole(t: Test): Promise<string> {
  const dbUrl = await (await startPostgres(t)).createDatabase()
  const client = await connect(t, dbUrl)
  await client.query(`create role strict login password 'another'`)
  const { hba_file: rules } = (await client.query('show hba_file')).rows[0]
  const lines = `('host all strict all scram-sha-256'), ('host all all all trust')`
  await client.query(`copy (values ${lines}) to '${rules}'`)
  await client.query('select pg_reload_conf()')
  return Object.assign(new URL(dbUrl), { username: 'strict' }).href
}

/** `DB_URL`s that cannot be used, and the reason that is given. */
const cases: { [title: string]: [(t: Test) => Promise<string> | string, RegExp] } = {
  'an unknown scheme': [
    () => `mysql://u:${PASSWORD}@127.0.0.1/d`,
    /unknown kind of store; known are sqlite:/
  ],
  'no scheme': [() => `./${PASSWORD}.db`, /unknown kind of store/],
  'a Postgres that is not there': [
    async (t) => `postgres://u:${PASSWORD}@127.0.0.1:${await port(t, false)}/d`,
    /Postgres: ECONNREFUSED/
  ],
  'a Postgres that does not answer': [
    async (t) => `postgres://u:${PASSWORD}@127.0.0.1:${await port(t, true)}/d`,
    /Postgres: .*timeout/i
  ],
  'a URL that is none': [() => `postgres://u:${PASSWORD}@127.0.0.1:port/d`, /Postgres: \w+/],
  'a wrong password': [strictRole, /Postgres: password authentication failed .*28P01/],
  'a Postgres role that is not there': [
    async () => Object.assign(new URL(await startDatabase()), { username: 'nobody-of-that-name' }).href,
    /Postgres: .*does not exist.*28000/
  ],
  'a Postgres database that is not there': [
    async () => Object.assign(new URL(await startDatabase()), { pathname: '/no-such-database' }).href,
    /Postgres: .*does not exist.*3D000/
  ],
  'a Postgres schema that is newer': [
    async (t) => {
      const dbUrl = await startDatabase()
      await freshStore(dbUrl)
      await (await connect(t, dbUrl)).query(`insert into kysely_migration values ('9999_later', 'now')`)
      return dbUrl
    },
    /newer schema/
  ],
  'a SQLite schema that is newer': [
    async (t) => {
      const file = path.join(tempFolder(t), 'store.db')
      await freshStore(`sqlite:${file}`)
      const sqlite = new Database(file)
      sqlite.exec(`insert into kysely_migration values ('9999_later', 'now')`)
      sqlite.close()
      return `sqlite:${file}`
    },
    /newer schema/
  ],
  'a SQLite file below a file': [(t) => `sqlite:${belowFile(t)}`, /SQLite file: (EEXIST|ENOTDIR)/],
  'a SQLite file that is a folder': [(t) => `sqlite:${tempFolder(t)}`, /SQLite file: SQLITE_CANTOPEN/],
  'a folder below a file': [(t) => `filejson:${belowFile(t)}`, /folder \(ENOTDIR\)/],
  'a folder that is a file': [
    (t) => {
      const file = path.join(tempFolder(t), 'file')
      writeFileSync(file, '')
      return `filejson:${file}`
    },
    /folder \((EEXIST|ENOTDIR)\)/
  ],
  'a folder whose lock cannot be made': [
    (t) => {
      const folder = tempFolder(t)
      mkdirSync(path.join(folder, '.lock'))
      return `filejson:${folder}`
    },
    /folder \(SQLITE_CANTOPEN/
  ]
}

function belowFile(t: Test): string {
  const file = path.join(tempFolder(t), 'file')
  writeFileSync(file, '')
  return path.join(file, 'secret')
}

/** Holds that the server does not start on `dbUrl`, and says why in one line. */
async function refuses(t: Test, dbUrl: string, reason: RegExp): Promise<void> {
  const { exited, output } = spawnServer(t, { DB_URL: dbUrl })
  t.match(await within(5_000, 'the exit', exited), { code: 1 })
  t.match(output.stderr, /^turnkeeper cannot start: DB_URL: [^\n]+\n$/, 'one line')
  t.match(output.stderr, reason)
  t.notMatch(output.stderr + output.stdout, PASSWORD)
  t.notMatch(output.stderr + output.stdout, dbUrl)
}

for (const [title, [make, reason]] of Object.entries(cases)) {
  t.test(`${title} stops the start, in one line that names DB_URL and the reason`, async (t) => {
    await refuses(t, await make(t), reason)
  })
}

t.test('a second process on a folder does not start, and the first one goes on', async (t) => {
  const dbUrl = `filejson:${tempFolder(t)}`
  const { url } = await startServer(t, { DB_URL: dbUrl })
  await refuses(t, dbUrl, /another process is using the folder/)
  t.equal((await fetch(`${url}/v1/conversations`, { method: 'POST' })).status, 200)
})
