import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import path from 'node:path'
import type { Test } from 'tap'
import { tempFolder } from '../helper/app.ts'
import { eventually } from '../helper/endings.ts'
import { findProgram, without } from './programs.ts'

const ROOT = path.join(import.meta.dirname, '../..')
const TEMPLATE = path.join(ROOT, 'docker/nginx.conf.template')

export const NGINX = findProgram('nginx')
export const withoutNginx = without('nginx')

/** Above the drain delay of the instances, as in docker-compose.yml. */
const FAIL_TIMEOUT_S = 2
const PROBE_INTERVAL_MS = 25

/** Makes a folder that nginx can run in, with the template filled in as the container fills it in. */
export function configureNginx(t: Test, listen: string, instanceUrls: string[]): string {
  const folder = tempFolder(t)
  const variables: Record<string, string> = {
    BALANCER_LISTEN: listen,
    API_SERVERS: instanceUrls
      .map((url) => `server ${new URL(url).host} max_fails=1 fail_timeout=${FAIL_TIMEOUT_S}s;`)
      .join('\n')
  }
  const balancer = readFileSync(TEMPLATE, 'utf8').replaceAll(/\$\{(\w+)\}/g, (_, name) => {
    if (variables[name] === undefined) throw new Error(`the template asks for an unknown ${name}`)
    return variables[name]
  })
  writeFileSync(path.join(folder, 'balancer.conf'), balancer)
  mkdirSync(path.join(folder, 'temp'))
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const lines = [
    ...(process.getuid?.() === 0 ? ['user root;'] : []), // its workers must get at the folder
    'daemon off;',
    'worker_processes 2;',
    'pid nginx.pid;',
    'error_log stderr;',
    'events {}',
    'http {',
    'access_log off;',
    ...temporary.map((kind) => `${kind}_temp_path temp/${kind};`),
    'include balancer.conf;',
    '}'
  ]
  writeFileSync(path.join(folder, 'nginx.conf'), lines.join('\n'))
  return folder
}

/** What `nginx -t` says of the folder's configuration. */
export function checkNginx(folder: string): { ok: boolean; output: string } {
  const { status, stderr } = spawnSync(NGINX ?? 'nginx', [...nginxArguments(folder), '-t'], {
    encoding: 'utf8'
  })
  return { ok: status === 0, output: stderr }
}

/** A load balancer in front of `instanceUrls` that ends with the test. Resolves to its URL. */
export async function startNginx(t: Test, instanceUrls: string[]): Promise<string> {
  if (NGINX === undefined) throw new Error('nginx is not installed')
  const port = await freePort()
  const folder = configureNginx(t, `127.0.0.1:${port}`, instanceUrls)
  const child = spawn(NGINX, nginxArguments(folder), { stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = once(child, 'close')
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output += text
  })
  t.teardown(async () => {
    child.kill('SIGTERM')
    await exited
  })
  await eventually('nginx listens', () => {
    if (child.exitCode !== null) throw new Error(`nginx ended:\n${output}`)
    return accepts(port)
  })
  const url = `http://127.0.0.1:${port}`
  probeReadiness(t, url)
  return url
}

/** What the container's health check does, scaled like the times above. */
function probeReadiness(t: Test, url: string): void {
  const timer = setInterval(() => {
    fetch(`${url}/readyz`).then(
      (res) => res.text(),
      () => {} // it tells nginx something, not us
    )
  }, PROBE_INTERVAL_MS)
  t.teardown(() => clearInterval(timer))
}

/** Whether somebody listens on a loopback port. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

function nginxArguments(folder: string): string[] {
  return ['-p', folder, '-e', 'stderr', '-c', path.join(folder, 'nginx.conf')]
}
