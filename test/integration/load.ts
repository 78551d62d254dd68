import { ask, createConversation, type Reply } from './client.ts'

export interface Asked extends Reply {
  question: string
  /** In which conversation. */
  conversation: string
  /** On the clock of `performance.now()`. */
  beganMs: number
  endedMs: number
}

export interface Load {
  /** Every question whose reply is over. */
  asked: Asked[]
  conversations: string[]
  /** Asks one more question, in a conversation of its own. */
  add(question: string): Promise<Asked>
  /** Resolves when every question under way is over. */
  stop(): Promise<void>
}

/** `clients` that ask one short question after another, each in a conversation of its own. */
export async function startLoad(url: string, clients: number): Promise<Load> {
  const asked: Asked[] = []
  const conversations: string[] = []
  let stopping = false

  async function open(): Promise<string> {
    const { id } = await createConversation(url)
    conversations.push(id)
    return id
  }

  async function one(question: string, conversation: string): Promise<Asked> {
    const beganMs = performance.now()
    const reply = await ask(url, question, { conversationId: conversation })
    const result = { ...reply, question, conversation, beganMs, endedMs: performance.now() }
    asked.push(result)
    return result
  }

  async function client(name: number): Promise<void> {
    const conversation = await open()
    for (let count = 1; !stopping; count += 1) await one(`client ${name} question ${count}`, conversation)
  }

  const running = Array.from({ length: clients }, (_, name) => client(name))
  return {
    asked,
    conversations,
    add: async (question) => one(question, await open()),
    async stop() {
      stopping = true
      await Promise.all(running)
    }
  }
}
