import { existsSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { StoreError } from '../store-error.ts'

/** A command line that cannot be followed. The message names the flag, and never its value: it may be a password. */
export class ArgumentError extends Error {
  override name = 'ArgumentError'
}

/** The values of the flags in `args`. Throws `ArgumentError`. */
export function readFlags<T extends ParseArgsOptionsConfig>(args: string[], options: T) {
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: false }).values
  } catch (err) {
    const { code, message } = err as Error & { code?: string }
    const flag =
      /'(-[\w-]*)/.exec(message)?.[1] ??
      Object.keys(options)
        .map((name) => `--${name}`)
        .join(', ')
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw new ArgumentError(`${flag}: there is no such flag`)
    if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE')
      throw new ArgumentError(`${flag}: a value is missing, or one is given that is not wanted`)
    throw new ArgumentError(`${flag}: nothing is expected but these flags and their values`)
  }
}

export function requireUrl(flag: string, value: string | undefined): string {
  if (!value)
    throw new ArgumentError(`${flag}: is missing; it names a store, such as sqlite:./data/turnkeeper.db`)
  return value
}

/** The scheme of a store's URL and what follows it. */
export function splitUrl(url: string): { scheme: string; location: string } {
  const colon = url.indexOf(':')
  return { scheme: url.slice(0, Math.max(colon, 0)), location: url.slice(colon + 1) }
}

/** Refuses a source on disk that is not there: opening it would make an empty one. */
export function assertSourceExists(flag: string, url: string): void {
  const { scheme, location } = splitUrl(url)
  if (/^(sqlite|file|filejson)$/.test(scheme) && !existsSync(location))
    throw new ArgumentError(`${flag}: there is no such file or folder`)
}

export function assertDifferent(from: string, to: string): void {
  if (placeOf(from) === placeOf(to)) throw new ArgumentError('--to: names the same store as --from')
}

/** The same for two URLs that lead to the same store, as far as can be told without opening them. */
function placeOf(url: string): string {
  const { scheme, location } = splitUrl(url)
  if (/^(sqlite|file|filejson)$/.test(scheme)) {
    const place = path.resolve(location)
    return existsSync(place) ? realpathSync(place) : place
  }
  if (!/^postgres/.test(scheme) || !URL.canParse(url)) return url
  const { hostname, port, pathname, searchParams } = new URL(url)
  const host = hostname === 'localhost' ? '127.0.0.1' : hostname
  return `postgres ${host}:${port || 5432}${pathname} ${searchParams.get('host') ?? ''}`
}

/** Runs `work` for one of the two stores; what fails is said to be about its flag. */
export async function forFlag<T>(flag: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (err) {
    if (err instanceof StoreError) throw new ArgumentError(`${flag}: ${err.message}`)
    throw err
  }
}

/** Runs a command; an error becomes one line on stderr and exit code 1. */
export async function runCommand(name: string, command: () => Promise<void>): Promise<void> {
  try {
    await command()
  } catch (err) {
    process.stderr.write(`${name}: ${explain(err)}\n`)
    process.exitCode = 1
  }
}

function explain(err: unknown): string {
  if (err instanceof ArgumentError || err instanceof StoreError) return err.message
  // The message of an error that nobody foresaw may quote a text; where it was thrown does not.
  const { name, code, stack } = err as Error & { code?: string }
  return [code ?? name, ...(stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))].join('\n')
}
