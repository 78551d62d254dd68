// Serves the page and Deep Chat's bundle, nothing else, and to this machine alone.
//   npm install deep-chat && node examples/chat-ui/serve.mjs [port]
// Prints the address to open. TURNKEEPER_URL is put into the page in place of the address that stands there.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'

const DEFAULT_URL = 'http://127.0.0.1:3001/v1'
const baseURL = process.env.TURNKEEPER_URL ?? 'http://127.0.0.1:3001/v1'
const port = Number(process.argv[2] ?? 3002)

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const page = (await readFile(here('index.html'), 'utf8')).replaceAll(DEFAULT_URL, baseURL)
const bundle = fileURLToPath(import.meta.resolve('deep-chat')).replace('deepChat.js', 'deepChat.bundle.js')
const files = {
  '/': ['text/html', page],
  '/chat.js': ['text/javascript', await readFile(here('chat.js'))],
  '/deepChat.bundle.js': ['text/javascript', await readFile(bundle)]
}

createServer(({ url }, res) => {
  const [type, content] = files[url] ?? []
  if (!type) return res.writeHead(404).end()
  res.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(content)
}).listen(port, '127.0.0.1', () => console.log(`Open http://127.0.0.1:${port}`))
