import t from 'tap'
import { readSource } from '../helper/doc-tables.ts'

/** Methods of the store that do not take the session first, and why not. */
const WITHOUT_SESSION: Record<string, string> = {
  createConversation: 'its argument holds the session',
  beginTurn: 'its argument holds the session',
  countConversations: 'its argument holds the session, or means all of them: retention',
  deleteConversations: 'its argument holds the session, or means all of them: retention',
  finishTurn: 'its turn has been begun by this process for the session',
  initialize: 'of the whole store',
  ping: 'of the whole store',
  secret: 'of the whole store',
  beat: 'of the process',
  recoverTurns: 'of the process',
  exportConversations: 'moves all sessions',
  importConversation: 'moves all sessions',
  importTurns: 'moves all sessions',
  close: 'of the whole store'
}

t.test('every method of the store takes the session first, or is known not to', async (t) => {
  const [, body = ''] =
    /export interface Store \{\n([\s\S]*?)\n\}/.exec(readSource('storage/contract.ts')) ?? []
  const methods = [...body.matchAll(/^ {2}(\w+)\(\s*(\w*)/gm)].map(([, name, first]) => ({ name, first }))
  t.ok(methods.length > 15, 'the methods are seen')
  const others = methods.filter(({ first }) => first !== 'sessionId').map(({ name }) => name)
  t.strictSame(others.sort(), Object.keys(WITHOUT_SESSION).sort())
})
