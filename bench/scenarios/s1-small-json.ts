import { TARGETS } from '../targets/index.ts'
import { proxyScenario } from './proxy-scenario.ts'
import { jsonAsk } from './requests.ts'

export const smallJson = proxyScenario({
  id: 'S1',
  title: 'Small JSON answers, 50 at a time',
  about: 'A question of 240 characters in a new conversation, an answer of 940, not streamed.',
  targets: TARGETS,
  load: {
    mode: { answer: 'json' },
    ask: jsonAsk,
    connections: 50,
    durationMs: 2_500,
    warmMs: 700,
    firstWarmMs: 8_000
  }
})
