import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import fastifyStatic, { type FastifyStaticOptions } from '@fastify/static'
import fp from 'fastify-plugin'

const ROOT = path.join(import.meta.dirname, '..')

/** What the page is made of. Each has under its path here the path that it has on disk, so that both import alike. */
const FOLDERS = ['console', 'client']
const LIBRARIES = [
  'htm/preact/standalone.module.js',
  'marked/lib/marked.esm.js',
  'dompurify/dist/purify.es.mjs'
]
/** Of the folders, what browsers read; no other spelling of a path leads anywhere. */
const SERVED = /^[\w-]+(\/[\w-]+)*\.(js|css|svg)$/

/**
 * The page runs what this server sends and nothing else, asks this server alone, and is shown in no frame. HTML that is
 * made from text has to go through the one place that cleans it (Trusted Types).
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types dompurify'
].join(';')

/** Files may change with the next version, and are asked for again; a browser that has them gets a 304. */
const OPTIONS: FastifyStaticOptions = {
  root: ROOT,
  serve: false,
  cacheControl: false,
  index: false,
  dotfiles: 'ignore'
}
const CACHING = { 'cache-control': 'no-cache' }

/** The console, a page at `/` that uses the API and nothing else of this server. Open to everybody: it holds no data. */
export default fp(
  async (app) => {
    await app.register(fastifyStatic, OPTIONS)
    const page = await readPage()
    const hidden = { schema: { hide: true } } // no part of the API

    app.get('/', hidden, (_request, reply) =>
      reply
        .headers({ ...CACHING, 'content-security-policy': PAGE_POLICY })
        .type('text/html; charset=utf-8')
        .send(page)
    )
    for (const folder of FOLDERS) {
      app.get<{ Params: { '*': string } }>(`/${folder}/*`, hidden, (request, reply) => {
        const file = request.params['*']
        if (!SERVED.test(file)) return reply.callNotFound()
        return reply.headers(CACHING).sendFile(file, path.join(ROOT, folder))
      })
    }
    for (const library of LIBRARIES) {
      const file = `/node_modules/${library}`
      app.get(file, hidden, (_request, reply) => reply.headers(CACHING).sendFile(file))
    }
  },
  { name: 'console', dependencies: ['security-headers'] }
)

/** The page, which names all its modules: a browser would else learn of them one after the other. */
async function readPage(): Promise<string> {
  const page = await readFile(path.join(ROOT, 'console/index.html'), 'utf8')
  const own = globSync(['console/**/*.js', 'client/*.js'], { cwd: ROOT }).map((file) =>
    file.split(path.sep).join('/')
  )
  const modules = [...LIBRARIES.map((library) => `node_modules/${library}`), ...own.sort()]
  const links = modules.map((file) => `<link rel="modulepreload" href="./${file}">`)
  return page.replace('</head>', `  ${links.join('\n    ')}\n  </head>`)
}
