import path from 'node:path'
import { listening, startChild } from '../machine/child.ts'
import { freePort } from '../machine/cleanup.ts'
import { askInside, INSIDE, type Target } from './target.ts'

const SERVER = path.join(
  import.meta.dirname,
  '../peers/node_modules/@portkey-ai/gateway/build/start-server.js'
)

export const portkey: Target = {
  name: 'Portkey',
  about:
    '@portkey-ai/gateway 1.15 on @hono/node-server 1.12.2: with a newer one it answers 500 to every stream',

  async start({ upstreamUrl, folder }) {
    const port = await freePort()
    const child = startChild({
      command: [process.execPath, '--import', INSIDE, SERVER, `--port=${port}`, '--headless'],
      role: 'target',
      cwd: folder,
      env: { NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: '127.0.0.1' }
    })
    await listening(child, port)
    const headers = { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${upstreamUrl}/v1` }
    return {
      url: `http://127.0.0.1:${port}`,
      pid: child.pid,
      adapt: (ask) => ({ ...ask, headers: { ...ask.headers, ...headers } }),
      ask: (question) => askInside(child, question),
      stop: () => child.stop()
    }
  }
}
