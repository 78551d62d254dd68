import { openStore } from '../../storage/open-store.ts'
import { startDatabase } from '../helper/postgres.ts'
import { storeContract } from './contract.ts'

storeContract('postgres', async () => {
  const url = await startDatabase()
  return () => openStore(url, { report() {} })
})
