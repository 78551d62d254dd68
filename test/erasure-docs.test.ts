import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { newId } from '../storage/ids.ts'
import { readSource } from './helper/doc-tables.ts'
import { sqliteUrl, withStore } from './helper/transfer.ts'

t.test('the command of docs/retention.md leaves no byte of what was deleted', async (t) => {
  const url = sqliteUrl(t)
  const file = url.slice('sqlite:'.length)
  const turns = [
    { id: newId('turn'), userText: 'xyzzyword', assistantText: null, detail: null, createdAt: 1 }
  ]
  const created = {
    id: newId('conv'),
    sessionId: 'alice',
    title: null,
    model: null,
    metadata: {},
    createdAt: 1
  }
  await withStore(url, async (store) => {
    await store.createConversation(created, turns)
    await store.deleteConversations({ sessionId: 'alice' }, 10)
  })
  t.ok(readFileSync(file).includes('xyzzyword'), 'it is there before')
  const [, command = ''] = /At once: stop the service, `([^`]+)`/.exec(readSource('docs/retention.md')) ?? []
  const shell = command.replaceAll('\\|', '|').replace('data/turnkeeper.db', file)
  execFileSync('sh', ['-c', shell], { cwd: path.join(import.meta.dirname, '..') })
  t.notOk(readFileSync(file).includes('xyzzyword'))
})
