import { createHash } from 'node:crypto'
import { openStore } from '../../../storage/open-store.ts'
import { createPersistence } from '../../../storage/persistence.ts'
import { ANSWER, QUESTION, type Subject, TURNS_EACH } from './subject.ts'

/** What the service itself does: write 1 and write 2 through the facade. */
export async function openFacade(url: string): Promise<Subject> {
  const store = await openStore(url, { report() {} })
  const persistence = createPersistence(store, {
    owner: 'bench',
    finalWriteTimeoutMs: 30_000,
    maxTurns: 10_000,
    maxConversations: null
  })
  await persistence.initialize()
  const conversations = new Map<number, { id: string; turns: number }>()
  let asked = 0

  return {
    async turn(slot) {
      const known = conversations.get(slot)
      asked += 1
      const recorded = await persistence.recordUserMessage({
        sessionId: 'local',
        conversationId: known && known.turns < TURNS_EACH ? known.id : null,
        kind: 'chat',
        parentSeq: null,
        expectedLastSeq: null,
        request: {
          requestHash: createHash('sha256').update(`${asked}`).digest('hex'),
          idempotencyKey: null,
          keysSince: 0,
          retrySince: null
        },
        model: 'gpt-4o-mini',
        metadata: {},
        userText: QUESTION,
        input: null
      })
      if (recorded?.outcome !== 'begun') throw new Error('the conversation is gone')
      const { turn } = recorded
      conversations.set(slot, { id: turn.conversationId, turns: turn.seq })
      const output = { usage: { prompt_tokens: 64, completion_tokens: 200, total_tokens: 264 } }
      const completionId = `chatcmpl-${asked}`
      const answer = { text: ANSWER, finishReason: 'stop', completionId, model: 'gpt-4o-mini', output }
      if (!(await persistence.recordAssistantFinal(turn, answer))) throw new Error('the turn is gone')
    },
    close: () => persistence.cleanup()
  }
}
