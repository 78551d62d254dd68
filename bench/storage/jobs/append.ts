import { newId } from '../../../storage/ids.ts'
import { openStore } from '../../../storage/open-store.ts'
import { createPersistence } from '../../../storage/persistence.ts'
import { mainThreadUs } from '../../machine/cpu.ts'
import { median, percentile } from '../../stats.ts'
import type { Job } from '../job.ts'
import { ANSWER, QUESTION } from '../subjects/subject.ts'

/** How often a turn is added, each time to a conversation of its own. */
const TIMES = 40

/** What it takes to add a turn to a conversation that has `turns` already. */
export const run: Job = async ({ url, turns = 10 }) => {
  const store = await openStore(url, { report() {} })
  const options = { owner: 'bench', finalWriteTimeoutMs: 30_000, maxTurns: null, maxConversations: null }
  const persistence = createPersistence(store, options)
  await persistence.initialize()
  const times: number[] = []
  const cpu: number[] = []
  for (let time = 0; time < TIMES; time += 1) {
    const conversationId = newId('conv')
    const now = Date.now()
    const named = { id: conversationId, sessionId: 'local', title: 'bench', model: null, metadata: {} }
    const said = { userText: QUESTION, assistantText: ANSWER, detail: null, createdAt: now }
    await store.createConversation(
      { ...named, createdAt: now },
      Array.from({ length: turns }, () => ({ id: newId('turn'), ...said }))
    )
    const cpuBefore = mainThreadUs()
    const startedAt = performance.now()
    const recorded = await persistence.recordUserMessage({
      sessionId: 'local',
      conversationId,
      kind: 'chat',
      parentSeq: null,
      expectedLastSeq: null,
      request: { requestHash: null, idempotencyKey: null, keysSince: 0, retrySince: null },
      model: 'gpt-4o-mini',
      metadata: {},
      userText: QUESTION,
      input: null
    })
    if (recorded?.outcome !== 'begun') throw new Error('the conversation is gone')
    const answer = { text: ANSWER, finishReason: 'stop', completionId: null, model: null, output: null }
    await persistence.recordAssistantFinal(recorded.turn, answer)
    times.push(performance.now() - startedAt)
    cpu.push(mainThreadUs() - cpuBefore)
  }
  await persistence.cleanup()
  return { turnMs: median(times), turnP99: percentile(times, 0.99), mainCpuUs: median(cpu) }
}
