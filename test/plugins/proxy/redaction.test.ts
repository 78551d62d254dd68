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
  for (const key of ['sk-key', undefined]) {
    t.equal(createRedaction(key).bytes(noText), noText)
    t.equal(createRedaction(key).text('sk-ke y'), 'sk-ke y')
  }
  const said = { a: -0, b: '\ud800' }
  t.equal(createRedaction('sk-key').json(said), said)
  const around = Buffer.concat([noText, Buffer.from('sk-key'), noText])
  const redacted = Buffer.concat([noText, Buffer.from('[redacted]'), noText])
  t.strictSame(createRedaction('sk-key').bytes(around), redacted)
})
