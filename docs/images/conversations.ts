import type { Store } from '../../storage/contract.ts'
import { lowestId, newId } from '../../storage/ids.ts'

interface Sample {
  title: string
  daysAgo: number
  turns: [question: string, answer: string][]
  pinned?: true
  /** The last turn was stopped. */
  stopped?: true
}

/** What the built-in demo is asked. */
export const CHAT = ['Hello', 'Tell me a joke', 'Good morning']

const COST = `Two writes, however long the answer is:

| Step | Write | Who waits for it |
|---|---|---|
| The question is kept | 1 | the upstream call |
| The answer streams | none | nobody |
| The answer is kept | 2 | the last event alone |

The stream itself is passed on byte for byte:

\`\`\`js
const stream = client.chat.stream({ messages, conversation })
for await (const text of stream) show(text)
const turn = await stream.turn() // what was stored
\`\`\``

const PLAIN: [string, string] = ['Can you help me with this?', 'Gladly. Tell me more.']

/** Oldest first; the last one is shown. */
export const EARLIER: Sample[] = [
  { title: 'A name for a cat', daysAgo: 24, turns: [PLAIN, PLAIN] },
  { title: 'Packing list for a week in Norway', daysAgo: 19, turns: [PLAIN, PLAIN, PLAIN], pinned: true },
  { title: 'Explain keyset pagination', daysAgo: 16, turns: [PLAIN] },
  { title: 'Rewrite this e-mail, kindly', daysAgo: 12, turns: [PLAIN, PLAIN], stopped: true },
  { title: 'Why is the sky blue?', daysAgo: 9, turns: [PLAIN, PLAIN, PLAIN, PLAIN] },
  { title: 'Bread without kneading', daysAgo: 6, turns: [PLAIN, PLAIN] },
  { title: 'Regular expression for dates', daysAgo: 5, turns: [PLAIN, PLAIN, PLAIN], stopped: true },
  {
    title: 'Quarterly report, first draft',
    daysAgo: 3,
    turns: [PLAIN, PLAIN, PLAIN, PLAIN, PLAIN],
    pinned: true
  },
  { title: 'Translate a menu from French', daysAgo: 2, turns: [PLAIN] },
  { title: 'Plan a birthday for twelve', daysAgo: 1, turns: [PLAIN, PLAIN] },
  {
    title: 'What does one turn cost?',
    daysAgo: 0,
    turns: [
      ['What does one turn cost?', COST],
      ['And if I press stop?', 'What had come until then is kept, and the turn says that it is `incomplete`.']
    ]
  }
]

/** Puts them into the store, as if they had been asked on their days. */
export async function fill(store: Store, samples: Sample[]): Promise<void> {
  for (const { title, daysAgo, turns, pinned = false, stopped = false } of samples) {
    const at = Date.now() - daysAgo * 86_400_000
    const id = newId('conv')
    const model = 'turnkeeper-demo'
    const owned = { sessionId: 'local', model, metadata: {}, createdAt: at }
    await store.importConversation({ ...owned, id, title, pinned, lastSeq: turns.length, activeAt: at })
    await store.importTurns(
      turns.map(([userText, assistantText], index) => {
        const isStopped = stopped && index === turns.length - 1
        return {
          ...owned,
          id: turnIdAt(at + index),
          conversationId: id,
          seq: index + 1,
          parentSeq: index,
          superseded: false,
          kind: 'chat' as const,
          userText,
          assistantText,
          status: isStopped ? ('incomplete' as const) : ('completed' as const),
          finishReason: isStopped ? null : 'stop',
          error: isStopped ? ('client_disconnect' as const) : null,
          completionId: null,
          detail: null,
          attempt: 1
        }
      })
    )
  }
}

/** Ids are ordered in time, and figures by day go by them. */
function turnIdAt(ms: number): string {
  const time = 'turn_'.length + 12
  return lowestId('turn', ms).slice(0, time) + newId('turn').slice(time)
}
