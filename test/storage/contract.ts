import t, { type Test } from 'tap'
import type { Store } from '../../storage/contract.ts'
import addedTurns from './contract/added-turns.ts'
import apiKeys from './contract/api-keys.ts'
import chosenConversations from './contract/chosen-conversations.ts'
import concurrency from './contract/concurrency.ts'
import conversationPages from './contract/conversation-pages.ts'
import conversations from './contract/conversations.ts'
import counters from './contract/counters.ts'
import durability from './contract/durability.ts'
import endings from './contract/endings.ts'
import exactness from './contract/exactness.ts'
import externalKeys from './contract/external-keys.ts'
import highestSeq from './contract/highest-seq.ts'
import isolation from './contract/isolation.ts'
import marks from './contract/marks.ts'
import media from './contract/media.ts'
import pageBytes from './contract/page-bytes.ts'
import parents from './contract/parents.ts'
import paths from './contract/paths.ts'
import placedTurns from './contract/placed-turns.ts'
import recovery from './contract/recovery.ts'
import requests from './contract/requests.ts'
import { newConversation } from './contract/rows.ts'
import search from './contract/search.ts'
import sessionTurns from './contract/session-turns.ts'
import transfer from './contract/transfer.ts'
import turnCounts from './contract/turn-counts.ts'
import turnPages from './contract/turn-pages.ts'
import turns from './contract/turns.ts'

/** Opens the same place each time it is called. The suite closes one store before it opens the next, but for its keys. */
export type OpenStore = () => Store | Promise<Store>

/** Makes a new, empty place for a store, which goes with the test. */
export type MakePlace = (t: Test) => OpenStore | Promise<OpenStore>

/** One part of the suite; `start` gives an initialized store of its own, which closes with the test. */
export type ContractPart = (t: Test, start: (t: Test) => Promise<Store>) => void

/** What is promised of every store, whether or not it outlives its process. */
const PARTS: Record<string, ContractPart> = {
  conversations,
  'pages of conversations': conversationPages,
  turns,
  'pages of turns': turnPages,
  'pages bounded in bytes': pageBytes,
  'added turns, and changes': addedTurns,
  'the highest seq': highestSeq,
  'conversations counted and deleted by choice': chosenConversations,
  'API keys': apiKeys,
  'turns of a session': sessionTurns,
  'turns counted': turnCounts,
  'requests made again': requests,
  parents,
  paths,
  'turns that are placed': placedTurns,
  endings,
  marks,
  'external keys': externalKeys,
  isolation,
  exactness,
  concurrency,
  search,
  media,
  recovery,
  transfer,
  counters
}

/** Holds a driver to `storage/contract.ts`. Every driver runs all of it, and there is nothing to switch off. */
export function storeContract(name: string, makePlace: MakePlace): void {
  volatileStoreContract(name, makePlace)
  t.test(`${name}: durability`, async (t) => durability(t, makePlace))
}

/** The contract without what can only be asked of a store that outlives its process. */
export function volatileStoreContract(name: string, makePlace: MakePlace): void {
  const start = async (t: Test): Promise<Store> => {
    const open = await makePlace(t)
    const store = await open()
    t.teardown(() => store.close())
    await store.initialize()
    return store
  }

  t.test(`${name}: the factory gives unique, empty stores`, { bail: true }, async (t) => {
    const [one, other] = [await start(t), await start(t)]
    const conversation = newConversation()
    await one.createConversation(conversation)
    const page = { limit: 10, order: 'asc' } as const
    t.equal((await one.listConversations(conversation.sessionId, page)).data.length, 1)
    t.strictSame(await other.listConversations(conversation.sessionId, page), { data: [], hasMore: false })
    t.equal(await other.getConversation(conversation.sessionId, conversation.id), null)
  })

  for (const [title, part] of Object.entries(PARTS)) {
    t.test(`${name}: ${title}`, async (t) => part(t, start))
  }
}
