import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import path from 'node:path'
import t from 'tap'
import { openStore } from '../../storage/open-store.ts'
import { tempFolder } from '../helper/app.ts'
import { eventually } from '../helper/endings.ts'
import { freePort, type PostgresServer, startPostgres } from '../helper/postgres.ts'
import { storeContract } from '../storage/contract.ts'
import { findProgram, without } from './programs.ts'

const skip = process.env.TARGET_URL ? 'TARGET_URL names a running service' : without('pgbouncer')

interface PooledServer {
  server: PostgresServer
  port: number
}

/** A Postgres and, in front of all its databases, a PgBouncer that changes sessions between transactions. */
async function startPooled(): Promise<PooledServer> {
  const server = await startPostgres(t)
  const target = new URL(await server.createDatabase())
  const port = await freePort()
  const folder = tempFolder(t)
  chmodSync(folder, 0o755)
  writeFileSync(path.join(folder, 'users.txt'), `"${target.username}" "${target.password}"\n`)
  const settings = [
    '[databases]',
    `* = host=${target.hostname} port=${target.port}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = trust',
    `auth_file = ${path.join(folder, 'users.txt')}`,
    'pool_mode = transaction',
    'default_pool_size = 5',
    // Seconds. Each test has a database of its own, and Postgres so many connections for all of them.
    'server_idle_timeout = 1'
  ]
  writeFileSync(path.join(folder, 'pgbouncer.ini'), settings.join('\n'))
  const asUser = process.getuid?.() === 0 ? ['-u', 'postgres'] : []
  const bouncer = spawn(findProgram('pgbouncer') ?? 'pgbouncer', [
    '-q',
    ...asUser,
    path.join(folder, 'pgbouncer.ini')
  ])
  const exited = once(bouncer, 'exit')
  t.teardown(async () => {
    bouncer.kill('SIGKILL')
    await exited
  })
  await eventually('PgBouncer listens', async () => {
    const socket = connect(port, '127.0.0.1')
    const open = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'close').then(() => false)
    ]).catch(() => false)
    socket.destroy()
    return open
  })
  return { server, port }
}

if (skip) {
  t.test('the contract holds behind a transaction pooler', { skip }, () => {})
} else {
  let pooled: Promise<PooledServer> | undefined
  storeContract('postgres behind PgBouncer', async () => {
    pooled ??= startPooled()
    const { server, port } = await pooled
    const url = new URL(await server.createDatabase())
    url.port = String(port)
    return () => openStore(url.href, { report() {} })
  })
}
