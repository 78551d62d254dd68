import type { Ask } from '../load/ask.ts'
import { startScript, type Target } from './target.ts'

/** It has a format of its own, for requests and for events. */
function adapt(ask: Ask): Ask {
  const { messages, stream = false } = ask.body as { messages: { content: string }[]; stream?: boolean }
  const text = messages.map(({ content }) => content).join('\n')
  return {
    ...ask,
    path: '/chat',
    body: { prompt: text, stream },
    endMark: 'COMPLETE',
    events: null
  }
}

export const fastifyAi: Target = {
  name: 'fastify-ai',
  about: '@platformatic/fastify-ai 1.1.3, which keeps its history in memory; its own event format',
  start: async (context) => ({ ...(await startScript('fastify-ai.ts', context)), adapt })
}
