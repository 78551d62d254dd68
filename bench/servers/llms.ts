import { createRequire } from 'node:module'
import '../inside.ts'

// Its ES module cannot be loaded: it requires `child_process` in a way that only CommonJS has.
const require = createRequire(import.meta.resolve('../peers/package.json'))
const { default: Server } = require('@musistudio/llms')
const port = Number(process.env.PORT)
const provider = {
  name: 'bench',
  api_base_url: `${process.argv[2]}/v1/chat/completions`,
  api_key: 'sk-bench',
  models: ['gpt-4o-mini']
}
const server = new Server({
  initialConfig: { providers: [provider], HOST: '127.0.0.1', PORT: port },
  logger: false
})
await server.start()
process.on('disconnect', () => process.exit())
process.send?.({ url: `http://127.0.0.1:${port}` })
