import { startScript, type Target } from './target.ts'

export const passThrough: Target = {
  name: 'pass-through',
  about: "bare Fastify and undici's `dispatch()`, nothing read and nothing stored: the limit of the runtime",
  start: (context) => startScript('pass-through.ts', context)
}
