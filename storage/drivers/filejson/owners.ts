import path from 'node:path'
import type { OwnerBeat } from '../../contract.ts'
import { readPlainFile, replaceFile } from './atomic-file.ts'

/** The beats of owners, in one file: it tells the next process who was there before. */
export function createOwners(folder: string) {
  const file = path.join(folder, '.owners.json')
  const beats = new Map<string, number>()

  const save = (): Promise<void> =>
    replaceFile(file, `${JSON.stringify(Object.fromEntries(beats), null, 2)}\n`)

  return {
    async load(): Promise<void> {
      const text = await readPlainFile(file).catch((err) => {
        if (err.code === 'ENOENT') return '{}'
        throw err
      })
      beats.clear()
      for (const [owner, beat] of Object.entries(JSON.parse(text))) beats.set(owner, Number(beat))
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
