import t from 'tap'
import { sideDoors } from './side-doors.ts'

t.test('Postgres, AUTH=key: no secret and no text leaves by a side door', (t) =>
  sideDoors(t, 'postgres', 'key')
)
