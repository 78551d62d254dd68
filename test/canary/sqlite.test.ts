import t from 'tap'
import { sideDoors } from './side-doors.ts'

t.test('SQLite, AUTH=header: no secret and no text leaves by a side door', (t) =>
  sideDoors(t, 'sqlite', 'header')
)
