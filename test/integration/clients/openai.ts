import type { Client } from './client-call.ts'
import { againCalls } from './openai-again.ts'
import { chainCalls } from './openai-chains.ts'
import { chatCalls } from './openai-chat.ts'
import { conversationCalls } from './openai-conversations.ts'
import { historyCalls } from './openai-history.ts'
import { responseCalls } from './openai-responses.ts'
import { storedCalls } from './openai-stored.ts'

export const openai: Client = {
  name: 'OpenAI SDK',
  packages: ['openai'],
  calls: [
    ...conversationCalls,
    ...chatCalls,
    ...storedCalls,
    ...responseCalls,
    ...chainCalls,
    ...historyCalls,
    ...againCalls
  ]
}
