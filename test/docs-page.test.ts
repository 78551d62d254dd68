import t from 'tap'
import { startApp } from './helper/app.ts'
import { isErrorReply, request } from './helper/request.ts'

const UPSTREAM = { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' }

t.test(
  'the page at /docs comes whole from this server, and its policy lets it load nothing else',
  async (t) => {
    const { url } = await startApp(t, UPSTREAM)
    for (const path of ['/docs', '/docs/']) {
      const page = await request(url + path)
      t.equal(page.status, 200)
      t.match(page.headers.get('content-type'), 'text/html')
      const policy = page.headers.get('content-security-policy') ?? ''
      t.match(policy, /^default-src 'none';/)
      t.notMatch(policy, /https?:|\*|unsafe|nonce/)
      for (const part of [
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'"
      ])
        t.match(policy, part)
      t.notMatch(
        page.text,
        /<script>|<style|style=|\son\w+=|https?:\/\//,
        'nothing that the policy would stop'
      )
      const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link ?? '')
      t.ok(links.length >= 5)
      for (const link of links) {
        const part = await request(new URL(link, url + path).href)
        t.equal(part.status, 200, link)
        t.match(
          part.headers.get('content-type'),
          /^(text\/css|(application|text)\/javascript|image\/png)/,
          link
        )
        t.equal(part.headers.get('x-content-type-options'), 'nosniff', link)
      }
    }
    const script = await request(`${url}/docs/static/swagger-initializer.js`)
    t.match(script.text, "resolveUrl('./json')", 'it shows the document beside it')
    t.match(script.text, 'validatorUrl: null', 'and sends it to nobody')
  }
)

t.test('/docs asks for no credential', async (t) => {
  const jwt = { JWT_JWKS_URL: 'https://issuer.example/keys', JWT_ISSUER: 'i', JWT_AUDIENCE: 'a' }
  for (const settings of [{ AUTH: 'header' }, { AUTH: 'key' }, { AUTH: 'jwt', ...jwt }]) {
    const { url } = await startApp(t, { ...UPSTREAM, ...settings })
    for (const path of ['/docs', '/docs/json', '/docs/yaml', '/docs/static/swagger-ui.css']) {
      t.equal((await request(url + path)).status, 200, `${settings.AUTH}: ${path}`)
    }
    const refused = await request(`${url}/v1/conversations`)
    t.equal(refused.status, 401, `${settings.AUTH}: the API itself does`)
  }
})

t.test('/docs has its own files and no others', async (t) => {
  const { url } = await startApp(t, UPSTREAM)
  const paths = ['none.js', '..%2f..%2fpackage.json', '%2e%2e/index.js', '.git']
  for (const path of paths) {
    const reply = await request(`${url}/docs/static/${path}`)
    isErrorReply(t, reply, 404, { code: 'not_found' }, path)
    t.match(reply.headers.get('content-security-policy'), "default-src 'none'", path)
  }
})
