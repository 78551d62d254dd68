import t from 'tap'
import type { TSchema } from 'typebox'
import { SettingsSchema } from '../../settings.ts'
import { startApp } from '../helper/app.ts'
import { rawChat } from '../helper/raw-client.ts'
import { startUpstream } from '../helper/upstream.ts'

const whole = Object.entries(SettingsSchema.properties as Record<string, TSchema>).filter(
  ([name, schema]) => (schema as { type?: string }).type === 'integer' && name !== 'PORT'
) as unknown as [string, { minimum: number; maximum: number }][]

for (const [title, pick] of [
  ['the largest', (bounds: { maximum: number }) => bounds.maximum],
  ['the smallest', (bounds: { minimum: number }) => bounds.minimum]
] as const) {
  t.test(`the service answers with ${title} value of every setting`, async (t) => {
    const upstream = await startUpstream(t)
    const chosen = whole.filter(([name]) => !/^MAX_\w+_BYTES$/.test(name))
    const settings = Object.fromEntries(chosen.map(([name, bounds]) => [name, String(pick(bounds))]))
    t.ok(chosen.length > 15)
    const warnings: string[] = []
    const onWarning = ({ name }: Error) => void warnings.push(name)
    process.on('warning', onWarning)
    t.teardown(() => process.off('warning', onWarning))
    const { url, chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url, ...settings })
    t.equal((await chat()).status, 200)
    const client = await rawChat(t, url, { stream: true }, { connection: 'close' })
    await client.until('[DONE]')
    await new Promise((resolve) => setTimeout(resolve, 300)) // a timer that overflows fires at once
    t.equal((await chat({ stream: true })).status, 200)
    t.same(warnings, [], 'no timer overflows')
  })
}

t.test('each setting alone may have its largest or its smallest value', async (t) => {
  const upstream = await startUpstream(t)
  for (const [name, { minimum, maximum }] of whole) {
    for (const value of [minimum, maximum]) {
      const { app, chat } = await startApp(t, { OPENAI_BASE_URL: upstream.url, [name]: String(value) })
      const { status } = await chat()
      const tiny = /^MAX_(REQUEST|ANSWER|HEADER)_BYTES$/.test(name) && value === 1
      t.equal(status === 200, !tiny, `${name}=${value}: ${status}`)
      await app.close()
    }
  }
})
