import type { FastifyInstance } from 'fastify'
import { ArgumentError, runCommand } from '../../storage/transfer/command-line.ts'
import { formatReport } from './format.ts'
import { startRecordedUpstream } from './recorded-upstream.ts'
import { readRecordings } from './recordings.ts'
import { replacedOf, replay } from './replay.ts'

/** Settings of a service that keeps nothing and refuses nothing for being too much. */
const SETTINGS = {
  DB_URL: 'sqlite::memory:',
  THREADING: 'on',
  CONSOLE: 'false',
  MAX_REQUEST_BYTES: '1073741824',
  MAX_BODIES_BYTES: '0',
  MAX_JSON_VALUES: '0',
  MAX_MESSAGES: '0',
  MAX_TURNS_PER_CONVERSATION: '0',
  UPSTREAM_IDLE_TIMEOUT_MS: '5000'
}

/**
 * `npm run threading:report -- <folder>`: how the requests recorded in a folder would be grouped, by a service that is
 * made for it and forgets all. `args` is the command line after the command's name.
 */
export async function threadingReportCommand(
  args: string[],
  build: (settings: Record<string, string>) => Promise<FastifyInstance>
): Promise<void> {
  await runCommand('threading:report', async () => {
    const [folder] = args
    if (folder === undefined || args.length > 1)
      throw new ArgumentError('give one folder with recorded requests, .jsonl or .har')
    const recordings = await readRecordings(folder)
    const upstream = await startRecordedUpstream()
    try {
      const app = await build({ ...SETTINGS, OPENAI_BASE_URL: upstream.url })
      try {
        const url = await app.listen({ host: '127.0.0.1', port: 0 })
        const filed = await replay(url, upstream, recordings)
        process.stdout.write(formatReport(filed, await replacedOf(app, filed)))
      } finally {
        await app.close()
      }
    } finally {
      upstream.close()
    }
  })
}
