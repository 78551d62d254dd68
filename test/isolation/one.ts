import t from 'tap'
import { isolationMatrix } from './matrix.ts'
import { storeIsolation } from './store.ts'

/** Run as a program: all that is held about isolation, for the driver that is named. */
const [, , driver = 'sqlite'] = process.argv
t.test(`${driver}: the store`, (t) => storeIsolation(t, driver))
t.test(`${driver}: the routes`, (t) => isolationMatrix(t, driver, 'header'))
