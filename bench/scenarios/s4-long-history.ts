import { TARGETS } from '../targets/index.ts'
import { turnkeeper } from '../targets/turnkeeper.ts'
import { proxyScenario } from './proxy-scenario.ts'
import { historyAsk } from './requests.ts'

const load = {
  mode: { answer: 'json' } as const,
  ask: historyAsk,
  connections: 20,
  durationMs: 2_500,
  warmMs: 700,
  firstWarmMs: 8_000
}

export const longHistory = proxyScenario({
  id: 'S4c',
  title: 'A history of 200 KB, not streamed, 20 at a time',
  about:
    'The client sends its history again in a conversation that it names, and only the last question is new. A small JSON answer.',
  targets: TARGETS,
  load: { ...load, inConversations: true }
})

export const longQuestion = proxyScenario({
  id: 'S4n',
  title: 'The same in a new conversation each time',
  about: 'No conversation is named, so all 200 KB are new, and stored.',
  targets: TARGETS.filter(({ name }) => name === 'pipe' || name === turnkeeper.name),
  alone: true,
  load
})
