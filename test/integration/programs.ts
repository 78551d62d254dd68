import { existsSync } from 'node:fs'
import path from 'node:path'

/** A program of this machine, or undefined. Debian keeps servers outside an ordinary user's PATH. */
export function findProgram(name: string): string | undefined {
  return [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
    .map((folder) => path.join(folder, name))
    .find((file) => existsSync(file))
}

/** Why a test that needs the program is left out; false where it runs. On CI it has to run. */
export function without(name: string): string | false {
  return findProgram(name) === undefined && process.env.CI !== 'true' && `${name} is not installed`
}
