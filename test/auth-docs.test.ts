import path from 'node:path'
import { parseEnv } from 'node:util'
import t from 'tap'
import { loadConfig } from '../config.ts'
import { SettingsSchema } from '../settings.ts'
import { startApp, tempFolder } from './helper/app.ts'
import { codeBlocks, codeIn, readSource, tableUnder } from './helper/doc-tables.ts'
import { addKey } from './helper/guarded.ts'
import { startIssuer } from './helper/issuer.ts'
import { isErrorReply, request } from './helper/request.ts'
import { runSnippet } from './helper/run-snippet.ts'

const ROOT = path.join(import.meta.dirname, '..')
const doc = readSource('docs/auth.md')
const sections = new Map(doc.split(/^## /m).map((text) => [text.split('\n')[0] ?? '', text]))
const blocks = (section: string, language: string) => codeBlocks(sections.get(section) ?? '', language)

t.test('docs/auth.md has every way of AUTH, in the order of the setting', async (t) => {
  const ways = SettingsSchema.properties.AUTH as unknown as { anyOf: { const: string }[] }
  const names = ways.anyOf.map((way) => way.const)
  t.same(
    tableUnder(doc, 'Who may call').map(([way]) => codeIn(way)),
    names
  )
  for (const name of names) t.ok(sections.has(`AUTH=${name}`), name)
})

t.test('its example for AUTH=header works', async (t) => {
  const { url } = await startApp(t, { AUTH: 'header' })
  const listed = await runSnippet(t, 'sh', blocks('AUTH=header', 'sh').join('\n'), url)
  t.match(JSON.parse(listed), { object: 'list', data: [] })
  isErrorReply(t, await request(`${url}/v1/conversations`), 401, { code: 'session_required' }, 'without it')
})

t.test('its commands for AUTH=key work in their order', async (t) => {
  const DB_URL = `sqlite:${tempFolder(t)}/keys.db`
  const { url, app } = await startApp(t, { AUTH: 'key', DB_URL })
  const start = `export DB_URL='${DB_URL}'\ncd '${ROOT}'\n`
  const printed = await runSnippet(t, 'sh', start + blocks('AUTH=key', 'sh').join('\n'), url)
  t.match(printed, '"object":"list"', 'the key opens the list')
  t.match(printed, /[a-z0-9]{16}\tanne\tlaptop\t\d{4}-/)
  t.same(await app.store.keys.list(), [], 'and is revoked')
})

t.test('its script for AUTH=key works', async (t) => {
  const { url, app } = await startApp(t, { AUTH: 'key' })
  const given = `process.env.KEY = '${await addKey(app, 'anne')}'\n`
  const logged = await runSnippet(t, 'js', given + blocks('AUTH=key', 'js').join('\n'), url)
  t.match(logged, "metadata: { of: 'anne' }")
  t.match(await app.store.exportConversations(null, 10), [{ sessionId: 'anne' }])
})

t.test('its settings and its call for AUTH=jwt work', async (t) => {
  const [settings = ''] = blocks('AUTH=jwt', 'ini')
  const documented = parseEnv(settings) as Record<string, string>
  t.match(loadConfig(documented), documented)
  const issuer = await startIssuer(t)
  t.same(
    Object.keys(issuer.settings).sort(),
    Object.keys(documented).sort(),
    'these and no others are needed'
  )
  const { url } = await startApp(t, { ...documented, ...issuer.settings })
  const call = `TOKEN='${issuer.token('anne')}'\n${blocks('AUTH=jwt', 'sh').join('\n')}`
  t.match(JSON.parse(await runSnippet(t, 'sh', call, url)), { object: 'list', data: [] })
})
