import type { Target } from './target.ts'

export const direct: Target = {
  name: 'direct',
  about: 'no proxy: the ceiling of what any target can show',
  start: async ({ upstreamUrl }) => ({ url: upstreamUrl, pid: null, stop: async () => {} })
}
