import { readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import type { Static } from 'typebox'
import { schemaTypes } from '../../client/generate/schema-types.ts'
import type { ChatStream, Client, Conversation, Page, Stats, Turn } from '../../client/index.d.ts'
import type { ConversationList, TurnList } from '../../client/schema.d.ts'
import type { ConversationView, TurnView } from '../../routes/shapes.ts'
import { startApp } from '../helper/app.ts'

t.test('client/schema.d.ts is what the schemas of the service make: npm run client:types', async (t) => {
  const { app } = await startApp(t, { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' })
  const { components } = app.swagger() as { components: { schemas: Record<string, object> } }
  const kept = readFileSync(path.join(import.meta.dirname, '../../client/schema.d.ts'), 'utf8')
  t.equal(kept, await schemaTypes(components.schemas))
})

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Extends<A, B> = [A] extends [B] ? true : false
type Fits<A, B> = Extends<A, B> & Extends<B, A>

t.test('what the type check holds: the types of the client are those of the service', async (t) => {
  // Each of these lines is an error of `npm run check` when it does not hold.
  const held: true[] = [
    true satisfies Extends<Omit<Static<typeof TurnView>, 'detail'>, Omit<Turn, 'detail'>>,
    true satisfies Fits<Conversation, Static<typeof ConversationView>>,
    true satisfies Fits<Page<Turn>, TurnList>,
    true satisfies Fits<Page<Conversation>, ConversationList>,
    true satisfies Same<Turn['status'], 'in_progress' | 'completed' | 'incomplete' | 'failed'>,
    true satisfies Same<keyof Turn, keyof Static<typeof TurnView>>,
    true satisfies Same<Awaited<ReturnType<ChatStream['turn']>>, Turn | null>,
    true satisfies Same<Awaited<ReturnType<Client['stats']['get']>>, Stats>
  ]
  t.equal(held.length, 8)
})
