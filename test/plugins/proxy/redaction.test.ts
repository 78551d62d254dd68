import t from 'tap'
import { createRedaction } from '../../../plugins/proxy/redaction.ts'

t.test('the key is hidden, however often it is quoted and however JSON writes it', async (t) => {
  const key = 'sk-"quoted"\\key'
  const { text, bytes, json: value } = createRedaction(key)
  const json = JSON.stringify({ message: `Bearer ${key}, ${key}` })
  t.strictSame(JSON.parse(text(json)), { message: 'Bearer [redacted], [redacted]' })
  t.equal(text(`Bearer ${key}`), 'Bearer [redacted]')
  const redacted = { error: { message: 'Bearer [redacted]', code: null } }
  t.strictSame(value({ error: { message: `Bearer ${key}`, code: null } }), redacted)
  t.equal(bytes(Buffer.from(`Grüße 😀 ${key} Grüße`)).toString(), 'Grüße 😀 [redacted] Grüße')
})

t.test('what does not quote the key stays as it came, byte for byte', async (t) => {
  const noText = Buffer.from([0xff, 0x00, 0xc3, 0x28, 0xed, 0xa0, 0x80])
  for (const key of ['sk-key-of-12', undefined]) {
    t.equal(createRedaction(key).bytes(noText), noText)
    t.equal(createRedaction(key).text('sk-key-of 12'), 'sk-key-of 12')
  }
  const said = { a: -0, b: '\ud800' }
  t.equal(createRedaction('sk-key-of-12').json(said), said)
  const around = Buffer.concat([noText, Buffer.from('sk-key-of-12'), noText])
  const redacted = Buffer.concat([noText, Buffer.from('[redacted]'), noText])
  t.strictSame(createRedaction('sk-key-of-12').bytes(around), redacted)
})

t.test('a secret that is a mere word wrecks no answer', async (t) => {
  for (const key of ['x', 'text', 'null', 'ollama', '12345']) {
    const { text, bytes, json } = createRedaction(key)
    t.equal(text('text/event-stream; x=ollama'), 'text/event-stream; x=ollama')
    const body = Buffer.from(`{"code":null,"text":"${key}","n":12345}`)
    t.equal(bytes(body), body)
    const said = { code: null, text: key, n: 12345 }
    t.equal(json(said), said)
  }
})

t.test('a JSON value stays one, whatever the key looks like', async (t) => {
  const key = '123456789012'
  const said = { n: 1234567890123, [key]: [`key ${key}`, null] }
  t.strictSame(createRedaction(key).json(said), { n: 1234567890123, '[redacted]': ['key [redacted]', null] })
})
