import { existsSync } from 'node:fs'
import pretty from 'pino-pretty'
import { ConfigError, loadConfig } from './config.ts'
import { keysCommand } from './storage/keys/keys-command.ts'
import { sweepCommand } from './storage/retention/sweep-command.ts'

/**
 * Connections that may wait to be accepted; the system may allow fewer. Node accepts one in each turn of the event loop,
 * and beyond its own 511 a rush of clients, after a deployment for one, would be reset.
 */
const BACKLOG = 4_096

await start().catch((err) => {
  // One line that names the setting; a stack trace only where something else went wrong.
  process.stderr.write(`turnkeeper cannot start: ${err instanceof ConfigError ? err.message : err.stack}\n`)
  process.exit(1)
})

async function start(): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile()
  const config = loadConfig(process.env)
  const stream = process.stdout.isTTY
    ? pretty({ ignore: 'pid,hostname,reqId', translateTime: 'HH:MM:ss' })
    : process.stdout
  if (process.argv[2] === 'keys') return keysCommand(process.argv.slice(3), config.DB_URL)
  if (process.argv[2] === 'sweep')
    return sweepCommand(process.argv.slice(3), { dbUrl: config.DB_URL, retentionDays: config.RETENTION_DAYS })
  // Here and not above: the commands need nothing of all that it loads.
  const { buildApp, migrateStore } = await import('./app.ts')
  if (process.argv[2] === 'migrate') return migrateStore(config.DB_URL)
  if (process.argv[2] === 'threading-report') {
    const { threadingReportCommand } = await import('./plugins/threading-report/command.ts')
    return threadingReportCommand(process.argv.slice(3), (settings) => buildApp(loadConfig(settings)))
  }
  const app = await buildApp(config, { level: config.LOG_LEVEL, stream })

  const address = await app.listen({ host: config.HOST, port: config.PORT, backlog: BACKLOG })
  const body = '{"stream":true,"messages":[{"role":"user","content":"Hello"}]}'
  process.stderr.write(
    `\nTry it:\n  curl -N ${address}/v1/chat/completions -H 'content-type: application/json' -d '${body}'\n`
  )

  let stopping = false
  const stop = async (signal: string, delayMs: number): Promise<void> => {
    if (stopping) return
    stopping = true
    app.log.info({ signal }, 'stopping')
    app.lifecycle.draining = true
    await new Promise((resolve) => setTimeout(resolve, delayMs))
    await app.close()
    process.exit(0)
  }
  process.on('SIGTERM', () => stop('SIGTERM', config.DRAIN_DELAY_MS))
  process.on('SIGINT', () => stop('SIGINT', 0))
}
