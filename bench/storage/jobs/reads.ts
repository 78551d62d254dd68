import type { Store } from '../../../storage/contract.ts'
import { itemsOfTurn } from '../../../storage/dialogue/turn-items.ts'
import { openStore } from '../../../storage/open-store.ts'
import { median } from '../../stats.ts'
import type { Job } from '../job.ts'
import { FREQUENT, hexId, longConversation, RARE, type Seed } from '../seed-rows.ts'

const SESSION = 'local'
const MAX_BYTES = 8_388_608
const PAGE = { limit: 20, order: 'desc' } as const
const TIMES = 200
/** A slow read is measured less often, but so often at least. */
const MOST_MS = 1_500
const LEAST = 5

type Read = (store: Store, seed: Seed, at: number) => Promise<unknown>

/** Every read that a client can ask for; `at` is a place, another one each time. */
export const READS: Record<string, Read> = {
  list: (store) => store.listConversations(SESSION, PAGE),
  'list, cursor': (store, { conversations }, at) =>
    store.listConversations(SESSION, { ...PAGE, after: hexId('conv', 1 + (at % conversations)) }),
  conversation: (store, { conversations }, at) =>
    store.getConversation(SESSION, hexId('conv', 1 + (at % conversations))),
  turns: (store, seed) =>
    store.listTurns(SESSION, longConversation(seed), { limit: 50, order: 'asc', maxBytes: MAX_BYTES }),
  'turns, deep': (store, seed, at) =>
    store.listTurns(SESSION, longConversation(seed), {
      limit: 50,
      order: 'asc',
      afterSeq: at % (seed.turns - 60),
      maxBytes: MAX_BYTES
    }),
  items: async (store, seed, at) => {
    const beforeSeq = 60 + (at % (seed.turns - 60))
    const page = { ...PAGE, beforeSeq, maxBytes: MAX_BYTES }
    const turns = await store.listTurns(SESSION, longConversation(seed), page)
    return turns?.data.flatMap(itemsOfTurn)
  },
  completions: (store) => store.listSessionTurns(SESSION, { ...PAGE, kind: 'chat', maxBytes: MAX_BYTES }),
  'completions, cursor': (store, { conversations }, at) =>
    store.listSessionTurns(SESSION, {
      ...PAGE,
      kind: 'chat',
      after: hexId('turn', 30 + (at % (conversations - 30))),
      maxBytes: MAX_BYTES
    }),
  completion: (store, { conversations }, at) =>
    store.findTurn(SESSION, { completionId: `chatcmpl-${1 + (at % conversations)}`, kind: 'chat' }),
  'search, rare word': (store) => store.listConversations(SESSION, { ...PAGE, words: [RARE] }),
  'search, frequent word': (store) => store.listConversations(SESSION, { ...PAGE, words: [FREQUENT] })
}

/** Median time of each read, in microseconds. */
export const run: Job = async ({ url, conversations = 1_000, turns = 1_000 }) => {
  const store = await openStore(url, { report() {} })
  await store.initialize()
  const figures: Record<string, number> = {}
  for (const [name, read] of Object.entries(READS)) {
    const times: number[] = []
    const endAt = performance.now() + MOST_MS
    for (let time = 0; time < TIMES + 20; time += 1) {
      const at = (time * 7_919 * 1_013) % 2 ** 31 // far apart, and the same each run
      const startedAt = performance.now()
      await read(store, { conversations, turns }, at)
      const elapsedMs = performance.now() - startedAt
      if (time >= 20 || elapsedMs > 50) times.push(elapsedMs * 1_000)
      if (times.length >= LEAST && performance.now() > endAt) break
    }
    figures[name] = median(times)
  }
  await store.close()
  return figures
}
