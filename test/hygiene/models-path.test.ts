import t from 'tap'
import { startGuarded } from '../helper/guarded.ts'

const STRAYS = [
  '..;/files',
  '..;a=b/files',
  'a/..;/..;/files',
  '.;/files',
  '.%09./files',
  '..%20/files',
  '%00../files'
]

t.test('no spelling of .. leads to another part of the upstream', async (t) => {
  const { send, upstream } = await startGuarded(t, {})
  for (const stray of STRAYS) {
    const { status } = await send({ target: `/v1/models/${stray}` })
    t.equal(status, 404, stray)
  }
  t.equal(upstream.calls.length, 0, 'the upstream heard nothing')
})
