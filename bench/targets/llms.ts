import { freePort } from '../machine/cleanup.ts'
import { startScript, type Target } from './target.ts'

export const llms: Target = {
  name: 'llms',
  about: '@musistudio/llms 1.0.53, the core of claude-code-router',

  async start(context) {
    const running = await startScript('llms.ts', context, { PORT: String(await freePort()) })
    return { ...running, adapt: (ask) => ({ ...ask, body: { ...ask.body, model: 'bench,gpt-4o-mini' } }) }
  }
}
