import type { Store } from '../contract.ts'
import { openStore } from '../open-store.ts'
import {
  assertDifferent,
  assertSourceExists,
  forFlag,
  readFlags,
  requireUrl,
  runCommand
} from './command-line.ts'
import { type CopyReport, copyStore } from './copy.ts'
import { createProgressBar } from './progress-bar.ts'

await runCommand('copy', async () => {
  const flags = readFlags(process.argv.slice(2), { from: { type: 'string' }, to: { type: 'string' } })
  const fromUrl = requireUrl('--from', flags.from)
  const toUrl = requireUrl('--to', flags.to)
  assertDifferent(fromUrl, toUrl)
  assertSourceExists('--from', fromUrl)

  // Files that a store cannot read are conversations that are not copied.
  const unreadable: string[] = []
  const report = (flag: string) => (message: string) => {
    // What follows the name is the parser's message, which may quote the text.
    unreadable.push(`${flag}: ${message.split(': ')[0]}`)
  }
  const opened: Store[] = []
  const open = (flag: string, url: string) =>
    forFlag(flag, async () => {
      const store = await openStore(url, { report: report(flag) })
      opened.push(store)
      return store
    })
  const bar = createProgressBar(process.stderr)
  try {
    const from = await open('--from', fromUrl)
    const to = await open('--to', toUrl)
    await forFlag('--from', () => from.initialize())
    await forFlag('--to', () => to.initialize())
    const result = await copyStore(from, to, bar.show)
    bar.stop()
    process.stdout.write(`${lines(result, unreadable.length).join('\n')}\n`)
    const problems = [...result.problems].map(([id, reason]) => `${id} ${reason}`)
    for (const problem of [...unreadable, ...problems]) process.stderr.write(`copy: ${problem}\n`)
    if (unreadable.length + problems.length > 0) process.exitCode = 1
  } finally {
    bar.stop()
    for (const store of opened) await store.close()
  }
})

function lines(
  { conversations, turns, ended, keys, verification, problems }: CopyReport,
  unreadable: number
): string[] {
  const { source, target, others } = verification
  return [
    `copied      ${conversations} conversations, ${turns} turns`,
    `keys        ${keys} API keys`,
    `ended       ${ended} turns that were still running, as incomplete/server_lost`,
    `source      ${source.conversations} conversations, ${source.turns} turns, sha256 ${source.checksum}`,
    `target      ${target.conversations} conversations, ${target.turns} turns, sha256 ${target.checksum}`,
    `others      ${others} conversations in the target that the source does not have`,
    problems.size + unreadable === 0
      ? 'verified    source and target are the same'
      : `NOT EQUAL   ${problems.size + unreadable} conversations, see stderr`
  ]
}
