import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { isMissing, readPlainFile, replaceFile } from './atomic-file.ts'

/** The folder's secret, in a file of its own that is made when it is first asked for; what cannot be read is made anew. */
export function createSecret(folder: string, report: (message: string) => void): () => Promise<string> {
  const file = path.join(folder, '.secret')
  let secret: Promise<string> | undefined

  async function load(): Promise<string> {
    try {
      const saved = (await readPlainFile(file)).toString('utf8').trim()
      if (/^[\w-]{43,}$/.test(saved)) return saved
      report('.secret cannot be read and starts anew: conversations from before are not recognised')
    } catch (err) {
      if (!isMissing(err)) throw err
    }
    const made = randomBytes(32).toString('base64url')
    await replaceFile(file, [Buffer.from(`${made}\n`)])
    return made
  }

  return () => {
    secret ??= load().catch((err) => {
      secret = undefined
      throw err
    })
    return secret
  }
}
