import { existsSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { loadConfig } from '../config.ts'
import { readSource } from './helper/doc-tables.ts'
import { checkNginx, configureNginx, NGINX, withoutNginx } from './integration/nginx.ts'

interface Service {
  image?: string
  build?: unknown
  command?: string[]
  ports?: string[]
  profiles?: string[]
  /** Null = what it is where compose is run, if anything. */
  environment: Record<string, string | null>
  healthcheck?: { test: string[] }
  depends_on?: Record<string, { condition: string }>
  stop_grace_period?: string
  volumes?: string[]
}

const ROOT = path.join(import.meta.dirname, '..')
const services: Record<string, Service> = parse(readSource('docker-compose.yml'), { merge: true }).services
const instances = Object.entries(services).filter(([name]) => name.startsWith('api-'))
const dockerfile = readSource('Dockerfile').replaceAll(/\\\n\s*/g, '')
const template = readSource('docker/nginx.conf.template')

/** The settings that an instance starts with, variables at their defaults. */
function configOf({ environment }: Service) {
  const set = Object.entries(environment).filter(([, value]) => value !== null)
  const given = set.map(([name, value]) => [name, String(value).replaceAll(/\$\{\w+:-(.*?)\}/g, '$1')])
  return loadConfig({ HOST: '0.0.0.0', ...Object.fromEntries(given) })
}

t.test('the services are a database, two instances, a load balancer and the test', async (t) => {
  t.same(Object.keys(services), ['postgres', 'api-1', 'api-2', 'balancer', 'test'])
  t.same(
    Object.keys(services).filter((name) => services[name]?.profiles),
    ['test'],
    'the test runs only when asked for'
  )
  t.ok(services.postgres?.healthcheck)
  t.ok(services.balancer?.healthcheck)
  t.ok(services.postgres?.volumes?.length, 'the data outlive the container')
  for (const [name, { depends_on }] of Object.entries(services)) {
    for (const [needed, { condition }] of Object.entries(depends_on ?? {})) {
      t.equal(condition, 'service_healthy', `${name} waits for ${needed}`)
      t.ok(services[needed]?.healthcheck || services[needed]?.build, `${needed} has a health check`)
    }
  }
})

t.test('nobody reaches an instance or the database past the load balancer', async (t) => {
  const published = Object.entries(services).filter(([, { ports }]) => ports)
  t.same(
    published.map(([name, { ports }]) => [name, ports]),
    [['balancer', ['127.0.0.1:8080:8080']]]
  )
  t.equal(services.balancer?.environment.BALANCER_LISTEN, '8080')
})

for (const [name, service] of instances) {
  t.test(`${name} starts with settings that fit each other and its surroundings`, async (t) => {
    const config = configOf(service)
    t.match(config, { AUTH: 'header', ALLOW_INSECURE_AUTH: true, INSTANCE_ID: name, DRAIN_DELAY_MS: 5000 })
    t.ok(config.DB_URL.includes('@postgres:5432/'))
    t.match(services.balancer?.environment.API_SERVERS, `server ${name}:${config.PORT} `)

    const graceMs = Number(/^(\d+)s$/.exec(service.stop_grace_period ?? '')?.[1]) * 1000
    const stopMs = config.DRAIN_DELAY_MS + config.DRAIN_TIMEOUT_MS + config.FINAL_WRITE_TIMEOUT_MS
    t.ok(graceMs > stopMs, `it is given ${graceMs} ms to stop and takes up to ${stopMs} ms`)

    const asideMs = [...(services.balancer?.environment.API_SERVERS ?? '').matchAll(/fail_timeout=(\d+)s/g)]
    t.equal(asideMs.length, instances.length)
    for (const [, seconds] of asideMs)
      t.ok(Number(seconds) * 1000 > config.DRAIN_DELAY_MS, 'set aside until closed')

    const silenceMs = Math.max(config.UPSTREAM_HEADERS_TIMEOUT_MS, config.UPSTREAM_IDLE_TIMEOUT_MS)
    const readTimeoutMs = Number(/proxy_read_timeout (\d+)s;/.exec(template)?.[1]) * 1000
    t.ok(readTimeoutMs > silenceMs + config.FINAL_WRITE_TIMEOUT_MS, 'nginx waits longer than the API')
    const maxBodyBytes = Number(/client_max_body_size (\d+)m;/.exec(template)?.[1]) * 1_048_576
    t.ok(maxBodyBytes > config.MAX_REQUEST_BYTES, 'nginx takes what the API takes')
  })
}

t.test('the template streams, keeps connections and never sends a chat twice', async (t) => {
  const directives = template.replaceAll(/#.*$/gm, '')
  t.match(directives, /proxy_buffering off;/)
  t.match(directives, /keepalive \d+;/)
  t.equal(
    directives.match(/proxy_pass /g)?.length,
    directives.match(/proxy_set_header Connection "";/g)?.length
  )
  t.equal(directives.match(/proxy_pass /g)?.length, directives.match(/proxy_http_version 1\.1;/g)?.length)
  t.notMatch(directives, /non_idempotent/)
})

t.test('every file and script that is run exists', async (t) => {
  const scripts: Record<string, string> = JSON.parse(readSource('package.json')).scripts
  const json = [...dockerfile.matchAll(/^\s*(?:HEALTHCHECK .*?)?CMD (\[.*\])$/gm)].map(
    ([, list]) => list ?? ''
  )
  const commands = json.map((list) => JSON.parse(list) as string[])
  commands.push(...Object.values(services).flatMap(({ command }) => (command ? [command] : [])))
  t.equal(commands.length, 4, 'three in Dockerfile, one in docker-compose.yml')
  for (const [program, first = '', second = ''] of commands) {
    const known = program === 'npm' ? first === 'run' && second in scripts : program === 'node'
    t.ok(known, `${program} ${first} ${second.slice(0, 20)}`)
    if (program === 'node' && first !== '-e') t.ok(existsSync(path.join(ROOT, first)), first)
  }
  const mounted = services.balancer?.volumes?.map((volume) => volume.split(':')[0] ?? '') ?? []
  t.same(mounted, ['./docker/nginx.conf.template'])
  for (const file of mounted) t.ok(existsSync(path.join(ROOT, file)), file)
})

t.test('the image holds production dependencies and does not run as root', async (t) => {
  const [, last] = /(?:.*^FROM )(.*)/ms.exec(dockerfile) ?? []
  t.match(dockerfile, 'RUN npm ci --omit=dev --omit=optional')
  t.match(last, 'COPY --from=dependencies /app/node_modules node_modules')
  t.match(last, /^USER node$.*^CMD /ms)
  t.match(last, 'ENV HOST=0.0.0.0')
  for (const AUTH of ['', 'none', 'header']) {
    t.throws(() => loadConfig({ HOST: '0.0.0.0', AUTH }), `so it does not start with AUTH=${AUTH}`)
  }
  t.doesNotThrow(() => loadConfig({ HOST: '0.0.0.0', AUTH: 'key' }), 'but once AUTH is chosen')
  const ignored = readSource('.dockerignore').split('\n')
  for (const name of ['.env', 'data', 'node_modules', '.git']) t.ok(ignored.includes(name), name)
})

t.test('nginx accepts the template', { skip: withoutNginx }, async (t) => {
  t.ok(NGINX, 'nginx is installed')
  const { ok, output } = checkNginx(
    configureNginx(t, '127.0.0.1:8080', ['http://127.0.0.1:1', 'http://127.0.0.1:2'])
  )
  t.ok(ok, output)
  t.notMatch(output, '[warn]')
})
