import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { tempFolder } from '../../helper/app.ts'

const SERVER = path.join(import.meta.dirname, '../../../server.ts')

for (const args of [['list'], ['revoke', 'abcdefghabcdefgh']]) {
  t.test(`keys ${args[0]} does not make the store that it is to look into`, async (t) => {
    const file = path.join(tempFolder(t), 'missing', 'x.db')
    const env = { PATH: process.env.PATH, DB_URL: `sqlite:${file}` }
    const { status, stderr } = spawnSync(process.execPath, [SERVER, 'keys', ...args], {
      env,
      encoding: 'utf8'
    })
    t.equal(status, 1)
    t.match(stderr, /^keys: DB_URL: there is no such file or folder\n$/)
    t.notOk(existsSync(file))
  })
}
