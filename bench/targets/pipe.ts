import { startScript, type Target } from './target.ts'

export const pipe: Target = {
  name: 'pipe',
  about: 'bare `node:http` and undici, `request().body.pipe()`: the usual minimal proxy',
  start: (context) => startScript('pipe.ts', context)
}
