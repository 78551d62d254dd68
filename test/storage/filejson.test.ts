import { openStore } from '../../storage/open-store.ts'
import { tempFolder } from '../helper/app.ts'
import { storeContract } from './contract.ts'

storeContract('filejson', (t) => {
  const folder = tempFolder(t)
  return () => openStore(`filejson:${folder}`, { report: (message) => t.fail(message) })
})
