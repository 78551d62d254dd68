import path from 'node:path'
import t, { type Test } from 'tap'
import { tempFolder } from './helper/app.ts'
import { startServer } from './helper/server-process.ts'
import { DONE, delta, finish, startSse, startUpstream } from './helper/upstream.ts'

const LANES = 2
const ROUNDS_PER_LANE = 50
const CLIENTS = 4
const MAX_MS = 240_000 // it takes half a minute where nothing else runs

interface KeptTurn {
  id: string
  seq: number
  status: string
  user_text: string
  assistant_text: string
}

interface Seen {
  turnId: string
  question: string
  /** The text that reached the client. */
  answer: string
  done: boolean
}

t.setTimeout(MAX_MS)

/** Asks and reads on until `[DONE]`, or until the server is gone; then resolves to what was seen. */
async function ask(url: string, conversationId: string, question: string, onDone: () => void): Promise<Seen> {
  const seen: Seen = { turnId: '', question, answer: '', done: false }
  let stream = ''
  try {
    const res = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-conversation-id': conversationId },
      body: JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: question }] })
    })
    seen.turnId = res.headers.get('x-turn-id') ?? ''
    for await (const chunk of res.body ?? []) {
      stream += Buffer.from(chunk).toString('utf8')
      if (!seen.done && stream.includes('[DONE]')) {
        seen.done = true
        onDone()
      }
    }
  } catch {
    // The server was killed; what counts is what came before.
  }
  const texts = stream.matchAll(/"content":"([^"]*)"/g)
  seen.answer = Array.from(texts, ([, text]) => text).join('')
  return seen
}

async function createConversation({ url }: { url: string }): Promise<string> {
  const res = await fetch(`${url}/v1/conversations`, { method: 'POST' })
  return ((await res.json()) as { id: string }).id
}

async function turnsOf({ url }: { url: string }, conversationId: string): Promise<KeptTurn[]> {
  const res = await fetch(`${url}/v1/conversations/${conversationId}/turns?include=superseded&limit=100`)
  return ((await res.json()) as { data: KeptTurn[] }).data
}

/** One database, and a server on it that is killed and started again. Resolves to the figures of all rounds. */
async function runLane(t: Test, upstreamUrl: string) {
  const folder = tempFolder(t)
  const settings = {
    DB_URL: `sqlite:${path.join(folder, 'store.db')}`,
    OPENAI_BASE_URL: upstreamUrl,
    INSTANCE_ID: 'the-same-after-a-restart',
    LOG_LEVEL: 'error',
    NODE_COMPILE_CACHE: path.join(folder, 'cache')
  }
  const counts = { rounds: 0, done: 0, cut: 0, missing: 0 }
  let server = await startServer(t, settings)
  const conversations = await Promise.all(Array.from({ length: CLIENTS }, () => createConversation(server)))
  server.kill('SIGTERM') // unlike a kill, this lets Node fill its cache
  await server.exited
  server = await startServer(t, settings)

  for (let round = 0; round < ROUNDS_PER_LANE; round++) {
    let toGo = 1 + (round % CLIENTS)
    const kill = () => {
      toGo -= 1
      if (toGo === 0) server.kill('SIGKILL')
    }
    const seen = await Promise.all(
      conversations.map((id, client) => ask(server.url, id, `round ${round}, client ${client}`, kill))
    )
    if ((await server.exited).signal !== 'SIGKILL')
      throw new Error(`it ended by itself: ${server.output.stderr}`)
    server = await startServer(t, settings)
    const kept = await Promise.all(conversations.map((id) => turnsOf(server, id)))
    counts.rounds += 1
    for (const [client, { turnId, question, answer, done }] of seen.entries()) {
      const turns = kept[client] ?? []
      const turn = turns.find(({ id }) => id === turnId)
      counts[done ? 'done' : 'cut'] += 1
      const whole =
        turn?.status === 'completed' && turn.user_text === question && turn.assistant_text === answer
      if (done && !whole) {
        counts.missing += 1
        t.strictSame(turn, { status: 'completed', user_text: question, assistant_text: answer }, question)
      }
      const running = turns.filter(({ status }) => status === 'in_progress')
      if (running.length > 0) t.strictSame(running, [], 'no turn is running after a start')
      const order = turns.map(({ seq }) => seq)
      if (order.some((seq, index) => seq !== index + 1)) t.strictSame(order, [], 'seqs have no gap')
    }
  }
  return counts
}

t.test('whoever has seen [DONE] finds the whole turn after kill -9 and a restart', async (t) => {
  let answers = 0
  const upstream = await startUpstream(t, (res) => {
    answers += 1
    startSse(res)
    for (let word = 0; word < 20; word++) res.write(delta({ content: `${answers}.${word} ` }))
    res.end(finish() + DONE)
  })
  const startedAt = performance.now()
  const lanes = await Promise.all(Array.from({ length: LANES }, () => runLane(t, upstream.url)))
  const sum = (name: 'rounds' | 'done' | 'cut' | 'missing') =>
    lanes.reduce((total, lane) => total + lane[name], 0)
  const [rounds, done, cut, missing] = [sum('rounds'), sum('done'), sum('cut'), sum('missing')]
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  t.comment(
    `${rounds} kills in ${seconds} s: ${done} answers seen to the end, ${cut} cut off, ${missing} missing`
  )
  t.equal(rounds, 100)
  t.ok(done >= rounds, 'in each round somebody saw the end')
  t.equal(missing, 0)
})
