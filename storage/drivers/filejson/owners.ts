import path from 'node:path'
import type { OwnerBeat } from '../../contract.ts'
import { isMissing, readPlainFile, replaceFile } from './atomic-file.ts'
import { parseFile, UnreadableError } from './document.ts'

/**
 * The beats of owners, in one file: it tells the next process who was there before. `report` hears of a file that
 * cannot be read; nothing is lost with it, since beats only have to go on.
 */
export function createOwners(folder: string, report: (message: string) => void) {
  const file = path.join(folder, '.owners.json')
  const beats = new Map<string, number>()

  const save = () =>
    replaceFile(file, [Buffer.from(`${JSON.stringify(Object.fromEntries(beats), null, 2)}\n`)])

  return {
    async load(): Promise<void> {
      beats.clear()
      try {
        const saved = parseFile(await readPlainFile(file))
        for (const [owner, beat] of Object.entries(saved ?? {})) beats.set(owner, Number(beat) || 0)
      } catch (err) {
        if (err instanceof UnreadableError)
          report(`.owners.json cannot be read and starts anew: ${err.message}`)
        else if (!isMissing(err)) throw err
      }
    },

    async beat(owner: string): Promise<OwnerBeat[]> {
      beats.set(owner, (beats.get(owner) ?? 0) + 1)
      await save()
      return [...beats].map(([name, beat]) => ({ owner: name, beat }))
    },

    async forget(owner: string): Promise<void> {
      if (beats.delete(owner)) await save()
    }
  }
}
