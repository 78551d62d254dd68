import t from 'tap'
import { IDENTITIES } from './identities.ts'
import { isolationMatrix } from './matrix.ts'
import { storeIsolation } from './store.ts'

t.test('Postgres: a session gets nothing of another from the store', (t) => storeIsolation(t, 'postgres'))

for (const auth of Object.keys(IDENTITIES)) {
  t.test(`Postgres, AUTH=${auth}: what others have is as what never was`, (t) =>
    isolationMatrix(t, 'postgres', auth)
  )
}
