import { readdirSync } from 'node:fs'
import t from 'tap'
import { openStore } from '../../storage/open-store.ts'
import { begin, createConversation, SESSION } from './contract/rows.ts'
import { volatileStoreContract } from './contract.ts'

const open = () => openStore('sqlite::memory:', { report: () => {} })

volatileStoreContract('sqlite::memory:', () => open)

t.test('a store in memory leaves no file behind and forgets when it is closed', async (t) => {
  const before = readdirSync('.')
  const store = await open()
  await store.initialize()
  const { id } = await createConversation(store)
  await begin(store, id)
  t.strictSame(readdirSync('.'), before)
  await store.close()
  const again = await open()
  t.teardown(() => again.close())
  await again.initialize()
  t.equal(await again.getConversation(SESSION, id), null)
})
