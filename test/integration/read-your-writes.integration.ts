import t, { type Test } from 'tap'
import { ask, createConversation, request, type TurnRow, turnAt } from './client.ts'
import { startCluster } from './cluster.ts'
import { withoutNginx } from './nginx.ts'

const ROUNDS = 200
const LANES = 10
const { TARGET_URL, INSTANCE_URLS } = process.env

/** The load balancer, and each instance past it. */
async function addresses(t: Test): Promise<{ url: string; direct: string[] }> {
  if (TARGET_URL) return { url: TARGET_URL, direct: INSTANCE_URLS?.split(' ') ?? [TARGET_URL] }
  const { url, instances } = await startCluster(t)
  return { url, direct: instances.map((instance) => instance.url) }
}

t.test(
  'whoever has seen [DONE] finds the turn on every instance',
  { skip: !TARGET_URL && withoutNginx },
  async (t) => {
    const { url, direct } = await addresses(t)
    const faults: unknown[] = []
    let reads = 0

    async function lane(name: number): Promise<void> {
      const { id } = await createConversation(url)
      const rounds = ROUNDS / LANES
      for (let seq = 1; seq <= rounds; seq += 1) {
        let found: (TurnRow | undefined)[] = []
        const question = `lane ${name} round ${seq}`
        const reply = await ask(url, question, {
          conversationId: id,
          onDone: async () => {
            found = await Promise.all(direct.map((instance) => turnAt(instance, id, seq)))
          }
        })
        reads += found.length
        const asExpected = (turn: TurnRow | undefined): boolean =>
          turn?.id === reply.turnId &&
          turn?.status === 'completed' &&
          turn.user_text === question &&
          turn.assistant_text === reply.answer
        const whole = reply.done && reply.seq === seq && reply.answer !== ''
        if (!whole || found.length !== direct.length || !found.every(asExpected))
          faults.push({ reply, found })
      }
      const { last_seq } = await request<{ last_seq: number }>(url, `/conversations/${id}`)
      if (last_seq !== rounds) faults.push({ id, last_seq })
    }

    await Promise.all(Array.from({ length: LANES }, (_, name) => lane(name)))
    t.comment(`${ROUNDS} rounds, ${reads} reads past the load balancer, ${faults.length} stale`)
    t.same(faults, [])
    t.equal(reads, ROUNDS * direct.length)
  }
)
