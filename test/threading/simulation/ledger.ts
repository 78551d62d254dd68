import type { Filed, Message } from '../../helper/talk.ts'

/** One chat as its client and its user know it. */
export interface Chat {
  behaviour: string
  person: string
  /** All that assistants say in it. */
  texts: Set<string>
}

/** What a client sent, what it got, and what of that is true. */
export interface Exchange {
  chat: Chat
  /** The one that it goes on from; null at the beginning of a chat. */
  after: Exchange | null
  /** Whether it is one of several that go on from there at once, each on its own. */
  isBeside: boolean
  /** Whether no assistant had said anything in what was sent. */
  isOpening: boolean
  /** Whether no chat is to hold it. */
  isBackground: boolean
  /** The dialogue up to and with its answer: the same for two that nothing tells apart. */
  dialogue: string
  answer: Message
  /** The other answers that came with it. */
  choices: Message[]
  filed: Filed
  /** What its request had to say of who asks. */
  headers: Record<string, string>
  /** The one that took its place. */
  replacedBy: Exchange | null
}

/** What an assistant says, as it can be compared with what another one does. */
export function saidBy({ content, tool_calls }: Message): string {
  const text = typeof content === 'string' ? content : JSON.stringify(content ?? '')
  const words = text
    .replace(/<think>.*?<\/think>/gs, '')
    .replaceAll('\r\n', '\n')
    .normalize('NFC')
    .trim()
  const calls = ((tool_calls ?? []) as { function: { name: string; arguments: string } }[]).map(
    (call) => call.function.name + JSON.stringify(Object.entries(JSON.parse(call.function.arguments)).sort())
  )
  return [words, ...calls].join('\n')
}
