import pg from 'pg'
import t, { type Test } from 'tap'
import { eventually, within } from '../helper/endings.ts'
import { allTurns, request, type TurnRow } from './client.ts'
import { answerTo, type Cluster, type Instance, startCluster } from './cluster.ts'
import { type Asked, type Load, startLoad } from './load.ts'
import { accepts, withoutNginx } from './nginx.ts'

const CLIENTS = 30
const ROUNDS = 2
const PATIENCE_MS = 30_000
const { TARGET_URL } = process.env

interface Kill {
  instance: string
  /** From the signal to the end of the process: what it is sent in between is lost too. */
  fromMs: number
  untilMs: number
}

const skip = TARGET_URL ? 'TARGET_URL names a service that this test may not stop' : withoutNginx

t.test('every instance is stopped and killed in turn under load', { skip }, async (t) => {
  const cluster = await startCluster(t)
  const database = new pg.Client({ connectionString: cluster.dbUrl })
  await database.connect()
  t.teardown(() => database.end())
  const load = await startLoad(cluster.url, CLIENTS)
  const kills: Kill[] = []

  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const instance of cluster.instances) {
      const name = `${instance.id}, round ${round}`
      await t.test(`SIGTERM: ${name}`, (t) => stop(t, cluster, load, instance))
      await t.test(`SIGKILL: ${name}`, (t) => kill(t, { cluster, load, instance, database, kills }))
    }
  }
  await load.stop()
  await verify(t, cluster, load, kills)
  const { rows } = await database.query('select id from turns where owner is not null')
  t.same(rows, [], 'no turn is left running')
})

async function stop(t: Test, cluster: Cluster, load: Load, instance: Instance): Promise<void> {
  const held = await holdAnswers(cluster, load, instance)
  instance.process.kill('SIGTERM')
  await eventually('the port closes', async () => !(await accepts(instance.port)))
  held.release()
  t.same((await held.asked).filter(brokenOff), [], 'what it was answering is finished after its port closed')
  const { code } = await within(PATIENCE_MS, 'the end', instance.process.exited)
  t.equal(code, 0)
  await bringBack(cluster, instance)
}

interface KillOptions {
  cluster: Cluster
  load: Load
  instance: Instance
  database: pg.Client
  kills: Kill[]
}

async function kill(t: Test, { cluster, load, instance, database, kills }: KillOptions): Promise<void> {
  const held = await holdAnswers(cluster, load, instance)
  const fromMs = performance.now()
  instance.process.kill('SIGKILL')
  await instance.process.exited
  kills.push({ instance: instance.id, fromMs, untilMs: performance.now() })
  held.release()
  t.ok((await held.asked).filter(brokenOff).length >= HELD, 'what it was answering breaks')

  const running = 'select id from turns where owner = $1'
  const ids = (await database.query(running, [instance.id])).rows.map(({ id }) => id)
  t.ok(ids.length >= HELD, `it left ${ids.length} turns running`)
  await bringBack(cluster, instance, async () => {
    const ended = 'select id, status, error, owner from turns where id = any($1)'
    const { rows } = await database.query(ended, [ids])
    const lost = { status: 'incomplete', error: 'server_lost', owner: null }
    const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1)
    const expected = ids.map((id) => ({ id, ...lost }))
    t.same(rows.sort(byId), expected.sort(byId), 'all of them are ended at its restart')
  })
}

/** Starts it again, and waits until the load balancer uses it. */
async function bringBack(
  cluster: Cluster,
  instance: Instance,
  onStart: () => Promise<void> = async () => {}
): Promise<void> {
  const before = cluster.sent.length
  await cluster.restart(instance)
  await onStart()
  await eventually('the load balancer uses it again', () =>
    cluster.sent.slice(before).some(({ instance: by }) => by === instance.id)
  )
}

const HELD = 2
let questions = 0

/** Brings `HELD` answers of `instance` under way, and perhaps some of others. */
async function holdAnswers(cluster: Cluster, load: Load, instance: Instance) {
  const { release } = cluster.hold()
  const asked: Promise<Asked>[] = []
  const heldBy = (): number =>
    cluster.sent.filter(({ question, instance: by }) => names.has(question) && by === instance.id).length
  const names = new Set<string>()
  while (heldBy() < HELD) {
    questions += 1
    const question = `hold ${questions}`
    names.add(question)
    asked.push(load.add(question))
    await eventually('the question is sent', () => cluster.sent.some((call) => call.question === question))
  }
  return { release, asked: within(PATIENCE_MS, 'the held answers', Promise.all(asked)) }
}

function brokenOff({ status, done, answer, question }: Asked): boolean {
  return status !== 200 || !done || answer !== answerTo(question)
}

/** Holds what clients saw, what the upstream was asked and what is stored against each other. */
async function verify(t: Test, cluster: Cluster, load: Load, kills: Kill[]): Promise<void> {
  const { asked, conversations } = load
  const broken = asked.filter(brokenOff)
  const whole = asked.filter((one) => !brokenOff(one))
  const senders = new Map(cluster.sent.map(({ question, instance }) => [question, instance]))
  const excused = (one: Asked): boolean =>
    kills.some(({ instance, fromMs, untilMs }) => {
      const sender = senders.get(one.question)
      return one.beganMs <= untilMs && fromMs <= one.endedMs && (sender === undefined || sender === instance)
    })
  const refused = broken.filter(({ status }) => status === 0).length
  t.comment(
    `${asked.length} questions: ${whole.length} answered, ${broken.length} broken off, ${refused} refused; ` +
      `${kills.length} times an instance was killed, as often one was stopped`
  )
  t.same(
    broken.filter((one) => !excused(one)),
    [],
    'only streams of a killed instance break'
  )
  t.equal(refused, 0, 'no connection is refused')
  t.equal(senders.size, cluster.sent.length, 'no question is sent to the upstream twice')

  const stored = new Map<string, TurnRow>()
  const gaps: unknown[] = []
  for (const id of conversations) {
    const turns = await allTurns(cluster.url, id)
    const { last_seq } = await request<{ last_seq: number }>(cluster.url, `/conversations/${id}`)
    const gapless = turns.every(({ seq }, index) => seq === index + 1) && last_seq === turns.length
    if (!gapless) gaps.push({ id, last_seq, seqs: turns.map(({ seq }) => seq) })
    for (const turn of turns) stored.set(turn.id, turn)
  }
  t.same(gaps, [], `${stored.size} turns in ${conversations.length} conversations, numbered without gaps`)

  const acknowledged = asked.filter(({ done }) => done)
  const lost = acknowledged.filter(({ turnId, seq, question }) => {
    const turn = stored.get(turnId ?? '')
    const kept = turn?.status === 'completed' && turn.seq === seq && turn.user_text === question
    return !kept || turn.assistant_text !== answerTo(question)
  })
  t.same(lost, [], `${acknowledged.length} acknowledged turns are kept, word for word`)

  const questions = new Set(whole.map(({ question }) => question))
  const others = [...stored.values()].filter(({ user_text }) => !questions.has(user_text ?? ''))
  // A turn may also be complete although the process died before it could say so.
  const odd = others.filter(({ status, error }) => status !== 'completed' && error !== 'server_lost')
  t.same(odd, [], `${others.length} turns that nobody saw the end of are server_lost or complete`)
}
