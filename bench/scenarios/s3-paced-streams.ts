import { CROWD_TARGETS, TARGETS } from '../targets/index.ts'
import { proxyScenario, TOKEN_COLUMNS } from './proxy-scenario.ts'
import { streamAsk } from './requests.ts'

const DELTAS = 200

export const pacedStreams = proxyScenario({
  id: 'S3p',
  title: '500 streams, 200 deltas 10 ms apart',
  about: 'Each token arrives alone: the honest price of one, 50,000 of them a second.',
  targets: TARGETS,
  load: {
    mode: { answer: 'stream', deltas: DELTAS, pace: 10 },
    ask: streamAsk(DELTAS),
    connections: 500,
    rampMs: 1_000,
    durationMs: 4_000,
    warmMs: 500
  }
})

export const tokenDelay = proxyScenario({
  id: 'S3t',
  title: 'Delay of a token: 500 streams, 40 deltas 50 ms apart',
  about: 'Deltas say when they were sent; the delay is from there to the client.',
  targets: CROWD_TARGETS,
  columns: [...TOKEN_COLUMNS, { figure: 'cpuUs', title: 'CPU µs each' }],
  load: {
    mode: { answer: 'stream', deltas: 40, pace: 50, stamped: true },
    ask: streamAsk(40),
    connections: 500,
    rampMs: 1_000,
    durationMs: 4_000,
    warmMs: 500,
    stamped: true
  }
})

export const crowdKept = proxyScenario({
  id: 'S3w',
  title: '2,000 streams, 200 deltas 10 ms apart, on kept connections',
  about: 'More than the core of upstream and load can send: shows who falls over, not what it costs.',
  targets: CROWD_TARGETS,
  maxRounds: 2,
  load: {
    mode: { answer: 'stream', deltas: DELTAS, pace: 10 },
    ask: streamAsk(DELTAS),
    connections: 2_000,
    rampMs: 2_000,
    durationMs: 5_000,
    warmMs: 500
  }
})

export const crowdNew = proxyScenario({
  id: 'S3u',
  title: '2,000 streams, 100 deltas 50 ms apart, each on a new connection',
  about: 'A rush of new connections beside open streams.',
  targets: CROWD_TARGETS,
  maxRounds: 2,
  load: {
    mode: { answer: 'stream', deltas: 100, pace: 50 },
    ask: streamAsk(100),
    connections: 2_000,
    rampMs: 5_000,
    durationMs: 6_000,
    warmMs: 0,
    fresh: true
  }
})
