import { randomUUID } from 'node:crypto'
import t from 'tap'
import { importedId } from '../../storage/transfer/imported-id.ts'
import { DAY_MS, startOfDay } from '../../storage/turn-counts.ts'
import { startApp } from '../helper/app.ts'
import { request } from '../helper/request.ts'
import { addConversation } from '../helper/transfer.ts'
import { completion, sendJson, startUpstream } from '../helper/upstream.ts'

interface Day {
  date: string
  turns: number
  endings: object[]
}
const dateOf = (instant: number): string => new Date(instant).toISOString().slice(0, 10)
const CHAT = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }

/** What `ask` gives on a day that ends after it, and that day: midnight may come while a test runs. */
async function onOneDay<T>(ask: () => Promise<T>): Promise<{ today: number; given: T }> {
  for (;;) {
    const today = startOfDay(Date.now())
    const given = await ask()
    if (startOfDay(Date.now()) === today) return { today, given }
  }
}

t.test('every day is there, oldest first, today last, also without any turn', async (t) => {
  const { url } = await startApp(t)
  for (const [query, count] of [
    ['', 30],
    ['?days=1', 1],
    ['?days=366', 366]
  ] as const) {
    const { today, given } = await onOneDay(() => request(`${url}/v1/stats${query}`))
    const days = Array.from({ length: count }, (_, index) => dateOf(today - (count - 1 - index) * DAY_MS))
    t.equal(given.status, 200)
    t.same(given.json, { object: 'stats', days: days.map((date) => ({ date, turns: 0, endings: [] })) })
  }
})

t.test('turns are on the day they began, to the millisecond', async (t) => {
  const { app, url } = await startApp(t, { AUTH: 'header' })
  const { today, given } = await onOneDay(async () => {
    const now = startOfDay(Date.now())
    // The last two are before the first day, and after today.
    const instants = [0, -1, -DAY_MS, -DAY_MS - 1, -2 * DAY_MS, -2 * DAY_MS - 1, DAY_MS]
    const sessionId = randomUUID()
    const change = ({ seq }: { seq: number }) => {
      const createdAt = now + (instants[seq - 1] ?? 0)
      return { createdAt, id: importedId('turn', randomUUID(), createdAt) }
    }
    await addConversation(app.store, instants.length, change, { sessionId })
    return request(`${url}/v1/stats?days=3`, { headers: { 'x-session-id': sessionId } })
  })
  const days: Day[] = given.json.days
  t.same(
    days.map(({ date, turns }) => [date, turns]),
    [
      [dateOf(today - 2 * DAY_MS), 2],
      [dateOf(today - DAY_MS), 2],
      [dateOf(today), 1]
    ]
  )
})

t.test('a session’s model calls are told apart by how they ended', async (t) => {
  const never = Promise.withResolvers<void>()
  const upstream = await startUpstream(t, async (res, { body }) => {
    const { user } = JSON.parse(body)
    if (user === 'fail') return sendJson(res, 500, {})
    if (user === 'run') await never.promise
    sendJson(res, 200, completion('Hello'))
  })
  const { url } = await startApp(t, { AUTH: 'header', OPENAI_BASE_URL: upstream.url })
  const call = (path: string, body?: object, session = 'one') =>
    request(`${url}/v1${path}`, { headers: { 'x-session-id': session }, ...(body && { body }) })
  const chat = (more: object = {}, session?: string) =>
    call('/chat/completions', { ...CHAT, ...more }, session)
  const { headers } = await chat()
  await chat({ conversation_id: headers.get('x-conversation-id') })
  await chat({ user: 'fail' })
  await chat({ store: false })
  await chat({}, 'other')
  const items = [{ role: 'user', content: 'Hi' }]
  await call('/conversations', { items })
  void chat({ user: 'run' }).catch(() => {})
  while (upstream.calls.length < 6) await new Promise((resolve) => setTimeout(resolve, 5))

  const statsOf = async (session: string) => {
    const days: Day[] = (await call('/stats?days=2', undefined, session)).json.days
    t.same(
      days.map(({ turns }) => turns),
      days.map(({ endings }) => endings.reduce((sum, one) => sum + (one as { turns: number }).turns, 0)),
      'a day has as many as its endings'
    )
    return days.flatMap(({ endings }) => endings) // all began today, or one half yesterday
  }
  t.same(await statsOf('one'), [
    { status: 'completed', error: null, turns: 2 },
    { status: 'failed', error: 'upstream_error', turns: 1 },
    { status: 'in_progress', error: null, turns: 1 }
  ])
  t.same(await statsOf('other'), [{ status: 'completed', error: null, turns: 1 }])
  t.same(await statsOf('nobody'), [])
  never.resolve()
})
