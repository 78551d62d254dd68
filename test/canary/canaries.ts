import { readFileSync } from 'node:fs'
import { glob } from 'node:fs/promises'
import path from 'node:path'
import type { Test } from 'tap'

/** Each is spelled so that nothing else can contain it. */
export const SECRETS: Record<string, string> = {
  'client key': 'sk-clientclientclientclient',
  'upstream key': 'sk-upstreamupstreamupstream',
  cookie: 'cookiecookiecookiecookie',
  'metrics token': 'metricsmetricsmetricsmetrics',
  'redis password': 'redisredisredisredisredis',
  'database password': 'databasedatabasedatabase',
  'idempotency key': 'idempotencyidempotencyidem'
}

/** What people say. It is kept, and nowhere else. */
export const TEXTS: Record<string, string> = {
  prompt: 'PROMPTPROMPTPROMPTPROMPT',
  answer: 'ANSWERANSWERANSWERANSWER',
  title: 'TITLETITLETITLETITLETITLE',
  metadata: 'METADATAMETADATAMETADATA',
  'query value': 'QUERYQUERYQUERYQUERYQUERY'
}

/** Names of fields that a client has made up: it is told which was wrong, and the log is not. */
export const NAMES: Record<string, string> = { 'name of a field': 'FIELDFIELDFIELDFIELDFIELD' }

/** Holds that none of `canaries` is in `text`. */
export function isClean(t: Test, text: string, canaries: Record<string, string>, where: string): void {
  for (const [what, canary] of Object.entries(canaries)) {
    const at = text.indexOf(canary)
    if (at >= 0) t.fail(`the ${what} is in ${where}: …${text.slice(Math.max(0, at - 200), at + 60)}…`)
  }
}

/** All files below a folder, one after the other, as Latin-1. */
export async function contentsOf(folder: string): Promise<string> {
  let all = ''
  for await (const entry of glob('**/*', { cwd: folder, withFileTypes: true })) {
    if (entry.isFile()) all += readFileSync(path.join(entry.parentPath, entry.name), 'latin1')
  }
  // Hidden ones are left out by a pattern.
  for await (const entry of glob('**/.*/**', { cwd: folder, withFileTypes: true })) {
    if (entry.isFile()) all += readFileSync(path.join(entry.parentPath, entry.name), 'latin1')
  }
  return all
}
