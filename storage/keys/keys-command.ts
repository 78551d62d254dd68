import type { ApiKey, ApiKeys } from '../contract.ts'
import { openStore } from '../open-store.ts'
import { isSessionId } from '../session-id.ts'
import { ArgumentError, assertSourceExists, readFlags, runCommand } from '../transfer/command-line.ts'
import { newApiKey } from './api-key.ts'

/**
 * `add --session S [--name N]`, `list` or `revoke <id>`, on the store that `dbUrl` names and beside the services that
 * run on it. Prints to stdout: the new key and nothing else, or a line per key. What cannot be done is a line on
 * stderr and exit code 1.
 */
export async function keysCommand(args: string[], dbUrl: string): Promise<void> {
  await runCommand('keys', async () => {
    const act = readKeysArguments(args)
    if (args[0] !== 'add') assertSourceExists('DB_URL', dbUrl) // opening it would make an empty one
    const store = await openStore(dbUrl, { report: (message) => process.stderr.write(`keys: ${message}\n`) })
    try {
      await store.keys.prepare()
      process.stdout.write(await act(store.keys))
    } finally {
      await store.close()
    }
  })
}

/** What is to be done, resolving to what is to be printed. Throws `ArgumentError`, which quotes nothing. */
export function readKeysArguments([action, ...args]: string[]): (keys: ApiKeys) => Promise<string> {
  if (action === 'add') {
    const { session, name } = readFlags(args, { session: { type: 'string' }, name: { type: 'string' } })
    for (const [flag, text] of Object.entries({ session, name: name ?? 'none' })) {
      if (!isSessionId(text)) throw new ArgumentError(`--${flag}: 1 to 256 characters, no control characters`)
    }
    const { key, stored } = newApiKey({
      sessionId: session as string,
      name: name ?? null,
      createdAt: Date.now()
    })
    return async (keys) => {
      await keys.add(stored)
      return `${key}\n`
    }
  }
  if (action === 'list') {
    if (args.length > 0) throw new ArgumentError('list: takes nothing more')
    return async (keys) => (await keys.list()).map(lineOf).join('')
  }
  if (action === 'revoke') {
    const [id = '', ...others] = args
    if (!/^[a-z0-9]+$/.test(id) || others.length > 0)
      throw new ArgumentError('revoke: needs one id, as `list` shows them')
    return async (keys) => {
      if (!(await keys.remove(id))) throw new ArgumentError('revoke: there is no key with this id')
      return ''
    }
  }
  throw new ArgumentError('add --session S [--name N], list, or revoke <id>')
}

function lineOf({ id, sessionId, name, createdAt }: ApiKey): string {
  return `${[id, sessionId, name ?? '-', new Date(createdAt).toISOString()].join('\t')}\n`
}
