import type { Job, JobReply, JobRequest } from './job.ts'

// Runs one job of the storage scenarios, in a process and on a core of its own.
process.on('disconnect', () => process.exit())
process.once('message', async ({ job, options }: JobRequest) => {
  try {
    const { run } = (await import(`./jobs/${job}.ts`)) as { run: Job }
    send({ figures: await run(options) })
  } catch (err) {
    send({ figures: {}, failure: (err as Error).stack ?? String(err) })
  }
})

function send(reply: JobReply): void {
  process.send?.(reply, () => process.exit())
}
