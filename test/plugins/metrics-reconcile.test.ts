import t from 'tap'
import { startApp, tempFolder } from '../helper/app.ts'
import { eventually } from '../helper/endings.ts'
import { type Mishap, registerFailing } from '../helper/failing-driver.ts'
import { scrape, turnFigures } from '../helper/metrics.ts'
import {
  completion,
  DONE,
  delta,
  finish,
  sendJson,
  startSse,
  startUpstream,
  type UpstreamScript
} from '../helper/upstream.ts'

const TIMES = 24
const KINDS = ['stream', 'json', 'cut', 'error', 'event', 'leave', 'delete', 'unrecorded', 'again'] as const

/** Ends the answer of the turn that was deleted; there is one at a time. */
let endDeleted = (): void => {}

/** Answers as the question says. */
const byKind: UpstreamScript = (res, { body }) => {
  const { user } = JSON.parse(body) as { user: string }
  if (user === 'json' || user === 'again') return sendJson(res, 200, completion('Hello'))
  if (user === 'error') return sendJson(res, 500, { error: { message: 'x' } })
  startSse(res)
  res.write(delta({ content: 'Hello' }))
  if (user === 'cut') return void res.destroy()
  if (user === 'event') return void res.end('data: {"error":{"message":"x"}}\n\n')
  if (user === 'leave') return
  const end = () => void res.end(finish() + DONE)
  if (user === 'delete') endDeleted = end
  else end()
}

t.test('accepted = completed + incomplete + failed + in progress + discarded, at every scrape', async (t) => {
  let writes = 0
  /** Now and then a write fails, and now and then it happens and its answer is lost. */
  const trouble = (): Mishap => {
    writes += 1
    if (writes % 7 === 0) return 'fails'
    return writes % 11 === 0 ? 'lost' : null
  }
  registerFailing({ finishTurn: trouble, beginTurn: () => (trouble() === 'fails' ? 'fails' : null) })
  const upstream = await startUpstream(t, byKind)
  const { url, chat } = await startApp(t, {
    OPENAI_BASE_URL: upstream.url,
    DB_URL: `failing:${tempFolder(t)}/test.db`
  })

  async function ask(kind: (typeof KINDS)[number]): Promise<boolean> {
    const leaving = new AbortController()
    const body = { user: kind, stream: !['json', 'again'].includes(kind), store: kind !== 'unrecorded' }
    const key = kind === 'again' ? { 'idempotency-key': 'the same' } : {}
    const res = await chat(body, key, leaving.signal)
    const id = res.headers.get('x-conversation-id')
    if (kind === 'leave') leaving.abort()
    if (kind === 'delete' && id !== null) {
      await fetch(`${url}/v1/conversations/${id}`, { method: 'DELETE' })
      endDeleted()
    }
    await res.text().catch(() => {})
    return id !== null && !res.headers.has('idempotent-replayed')
  }

  let working = true
  let begun = 0
  const work = Promise.all(
    KINDS.map(async (kind) => {
      for (let i = 0; i < TIMES; i += 1) if (await ask(kind)) begun += 1
    })
  ).finally(() => {
    working = false
  })

  let scrapes = 0
  const wrong: object[] = []
  while (working || scrapes < 300) {
    const figures = turnFigures(await scrape(url))
    const { accepted, completed, incomplete, failed, inProgress, discarded } = figures
    if (accepted !== completed + incomplete + failed + inProgress + discarded) wrong.push(figures)
    scrapes += 1
  }
  await work
  t.same(wrong, [], `${scrapes} scrapes add up`)

  await eventually('all have ended', async () => turnFigures(await scrape(url)).inProgress === 0)
  const figures = turnFigures(await scrape(url))
  t.equal(figures.accepted, begun, 'accepted is what clients were told of')
  // Some were refused by write 1; of the others each kind has one ending.
  t.ok(begun > KINDS.length * TIMES * 0.5)
  for (const [name, turns] of Object.entries(figures)) if (name !== 'inProgress') t.ok(turns > 10, name)
  t.ok(figures.discarded <= TIMES, 'no turn that was written counts as discarded')
})
