import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { eventually, gate, within } from '../helper/endings.ts'
import { startPostgres } from '../helper/postgres.ts'
import { request } from '../helper/request.ts'
import { startServer } from '../helper/server-process.ts'
import { DONE, delta, finish, startSse, startUpstream } from '../helper/upstream.ts'
import {
  allConversations,
  ask,
  createConversation,
  disorder,
  faultOf,
  type KeptTurn,
  questionOf,
  type Seen,
  slowAnswer,
  turnsAfter
} from './asking.ts'

const RESTARTS = 5
const CLIENTS = 8
const PROBES = 5

t.setTimeout(180_000)

t.test(
  'a Postgres that crashes under load five times costs no acknowledged turn and no process',
  async (t) => {
    const postgres = await startPostgres(t)
    let ending = gate()
    const asked: string[] = []
    const upstream = await startUpstream(t, async (res, call, req) => {
      const question = questionOf(call.body)
      asked.push(question)
      upstream.calls.length = 0 // there will be many
      if (!question.startsWith('held')) return slowAnswer(res, call, req)
      startSse(res)
      res.write(delta({ content: 'first half, ' }))
      await ending.opened
      res.end(delta({ content: 'second half' }) + finish() + DONE)
    })
    const { url, exited, output } = await startServer(t, {
      DB_URL: await postgres.createDatabase(),
      OPENAI_BASE_URL: upstream.url,
      LOG_LEVEL: 'fatal'
    })
    let exits = 0
    exited.then(() => {
      exits += 1
    })

    let over = false
    const seen: Seen[] = []
    const client = async (index: number): Promise<void> => {
      const conversation = await createConversation(url)
      for (let n = 0; !over; n++) {
        const one = await ask(url, `client ${index} question ${n}`, conversation)
        seen.push(one)
        if (one.status !== 200) await sleep(20)
      }
    }
    const clients = Array.from({ length: CLIENTS }, (_, index) => client(index))

    for (let restart = 0; restart < RESTARTS; restart++) {
      ending = gate()
      const half = gate()
      let heldText = ''
      const held = ask(url, `held ${restart}`, undefined, (text) => {
        heldText = text
        if (text.includes('first half')) half.open()
      })
      await within(10_000, 'the first half', half.opened)
      await sleep(200) // some load
      await postgres.stop()

      const probes = Array.from({ length: PROBES }, async (_, probe) => {
        const body = { model: 'm', messages: [{ role: 'user', content: `down ${restart} ${probe}` }] }
        const refused = await within(1_000, 'a 503', request(`${url}/v1/chat/completions`, { body }))
        t.match(refused, { status: 503, json: { error: { code: 'storage_unavailable' } } })
      })
      await Promise.all(probes)
      t.equal((await request(`${url}/readyz`)).status, 503)
      t.equal((await request(`${url}/livez`)).status, 200)

      ending.open()
      await eventually('the whole answer but its end has come', () => heldText.includes('second half'))
      await sleep(500) // time in which an end could come
      t.notMatch(heldText, '[DONE]', 'the end is held back while the answer is not stored')
      await postgres.start()
      const { done, conversationId } = await within(15_000, 'the end', held)
      t.ok(done)
      const whole = { status: 'completed', assistant_text: 'first half, second half' }
      t.match(await turnsAfter(url, conversationId, 0), [whole])
    }

    over = true
    await Promise.all(clients)
    const kept = new Map<string, KeptTurn>()
    const running = async (): Promise<string[]> => {
      const faults: string[] = []
      for (const { id } of await allConversations(url)) {
        const turns = await turnsAfter(url, id, 0)
        faults.push(...disorder(turns, 1))
        for (const turn of turns) kept.set(turn.id, turn)
      }
      return faults
    }
    await eventually(
      'no turn is running, and the seqs have no gap',
      async () => (await running()).length === 0
    )
    const faults = seen.flatMap((one) => faultOf(one, kept.get(one.turnId)) ?? [])
    t.strictSame(faults.slice(0, 10), [])
    const refused = seen.filter(({ status }) => status === 503).map(({ question }) => question)
    t.ok(refused.length > 0, 'the load met the outages')
    const called = asked.filter((question) => question.startsWith('down') || refused.includes(question))
    t.strictSame(called, [], 'no question that was refused went to the upstream')
    t.equal(exits, 0, output.stderr)
    const acknowledged = seen.filter(({ done }) => done).length
    const figures = { restarts: RESTARTS, acknowledged, refused: refused.length, lost: faults.length, exits }
    process.stderr.write(`${JSON.stringify(figures)}\n`)
  }
)
