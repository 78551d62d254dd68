import t from 'tap'
import { sideDoors } from './side-doors.ts'

t.test('filejson, AUTH=jwt: no secret and no text leaves by a side door', (t) =>
  sideDoors(t, 'filejson', 'jwt')
)
