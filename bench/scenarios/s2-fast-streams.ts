import { TARGETS } from '../targets/index.ts'
import { proxyScenario } from './proxy-scenario.ts'
import { streamAsk } from './requests.ts'

const DELTAS = 200

export const streamChunks = proxyScenario({
  id: 'S2c',
  title: 'A stream of 200 deltas at full speed, 50 at a time',
  about:
    'One socket write for each delta, as fast as they go. The core of upstream and load bounds every target.',
  targets: TARGETS,
  load: {
    mode: { answer: 'stream', deltas: DELTAS, pace: 'chunks' },
    ask: streamAsk(DELTAS),
    connections: 50,
    durationMs: 2_500,
    warmMs: 700,
    firstWarmMs: 8_000
  }
})

export const streamBurst = proxyScenario({
  id: 'S2b',
  title: 'A stream of 200 deltas in one burst, 50 at a time',
  about:
    'The whole stream, 203 events and 59 KB, in one write of the upstream: what a byte and an event cost.',
  targets: TARGETS,
  load: {
    mode: { answer: 'stream', deltas: DELTAS, pace: 'burst' },
    ask: streamAsk(DELTAS),
    connections: 50,
    durationMs: 2_500,
    warmMs: 700,
    firstWarmMs: 8_000
  }
})
