import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Store } from '../../storage/contract.ts'
import { newId } from '../../storage/ids.ts'
import { type RunningApp, startApp } from '../helper/app.ts'
import { idsIn } from '../helper/due.ts'
import { startUpstream } from '../helper/upstream.ts'

const CONVERSATIONS = 20_000
const TURNS = 2
const CHATTERS = 4
const BASELINE_CHATS = 400
const PORTION = 500
const LONG_AGO = 1_600_000_000_000

t.setTimeout(900_000)

/** Small conversations, as most are: two turns of a few sentences, old. */
async function fill(store: Store): Promise<void> {
  const text = 'How do I get from the station to the harbour, and what does it cost? '
  const turn = () => ({
    id: newId('turn'),
    userText: text,
    assistantText: text.repeat(5),
    detail: null,
    createdAt: LONG_AGO
  })
  const base = { sessionId: 'local', title: 'Getting there', model: 'm', metadata: {}, createdAt: LONG_AGO }
  for (let made = 0; made < CONVERSATIONS; made += PORTION) {
    const portion = Array.from({ length: PORTION }, () =>
      store.createConversation({ ...base, id: newId('conv') }, Array.from({ length: TURNS }, turn))
    )
    await Promise.all(portion)
  }
}

/** Chats until `done`, and what they took; ms. The gap is the longest time in which the event loop served nobody. */
async function chatUntil(chat: RunningApp['chat'], done: (chats: number) => boolean) {
  const took: number[] = []
  let gap = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    gap = Math.max(gap, now - last)
    last = now
  }, 1)
  const startedAt = last
  const chatter = async (): Promise<void> => {
    while (!done(took.length)) {
      const from = performance.now()
      const text = await (await chat({ stream: true })).text()
      if (!text.includes('[DONE]')) throw new Error(`no answer: ${text}`)
      took.push(performance.now() - from)
      await sleep(2)
    }
  }
  await Promise.all(Array.from({ length: CHATTERS }, chatter)).finally(() => clearInterval(timer))
  const sorted = took.toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1)
  const perSecond = Math.round((took.length * 1_000) / (performance.now() - startedAt))
  const figures = `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ${perSecond} chats/s, longest gap ${gap.toFixed(1)} ms`
  return { chats: took.length, figures }
}

t.test('20,000 conversations are swept while chats go on, and no chat is lost', async (t) => {
  const upstream = await startUpstream(t)
  const { app, chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url, RETENTION_DAYS: '30' })
  await fill(app.store)
  t.equal((await idsIn(app.store)).length, CONVERSATIONS)
  const before = await chatUntil(chat, (chats) => chats >= BASELINE_CHATS)

  let swept = false
  const startedAt = performance.now()
  const sweeping = (async () => {
    while (app.retention.counters.conversations < CONVERSATIONS) await app.retention.run()
  })().finally(() => {
    swept = true
  })
  const during = await chatUntil(chat, () => swept)
  await sweeping
  const seconds = (performance.now() - startedAt) / 1_000

  process.stderr.write(`chats alone:        ${before.figures}\nbeside the sweep:   ${during.figures}\n`)
  process.stderr.write(
    `${CONVERSATIONS} conversations, ${CONVERSATIONS * TURNS} turns in ${seconds.toFixed(1)} s\n`
  )
  const { conversations, turns, failures } = app.retention.counters
  t.strictSame([conversations, turns, failures], [CONVERSATIONS, CONVERSATIONS * TURNS, 0])
  t.equal((await idsIn(app.store)).length, before.chats + during.chats, 'every chat is kept')
})
