import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import t, { type Test } from 'tap'
import { tempFolder } from '../helper/app.ts'
import { openDatabase } from '../helper/database.ts'
import { DRIVERS } from '../helper/every-driver.ts'
import { startStateful } from '../helper/stateful.ts'
import { completion, sendJson } from '../helper/upstream.ts'

const IMAGE = `data:image/png;base64,${Buffer.alloc(150_000, 'turnkeeper').toString('base64')}`
const INCLUDE = '&include[]=message.input_image.image_url'
const look = (text: string, url = IMAGE) => [
  {
    role: 'user',
    content: [
      { type: 'text', text },
      { type: 'image_url', image_url: { url, detail: 'low' } }
    ]
  }
]

/** How many bytes a store takes. */
const SIZES: Record<string, (t: Test) => { dbUrl: string; size: () => number }> = {
  sqlite: (t) => {
    const dbUrl = `sqlite:${path.join(tempFolder(t), 'store.db')}`
    const size = () => {
      const database = openDatabase(t, dbUrl)
      database.pragma('wal_checkpoint(TRUNCATE)')
      return statSync(dbUrl.slice('sqlite:'.length)).size
    }
    return { dbUrl, size }
  },
  filejson: (t) => {
    const folder = tempFolder(t)
    const files = () =>
      readdirSync(folder, { recursive: true, withFileTypes: true }).filter((file) => file.isFile())
    const size = () =>
      files().reduce((sum, file) => sum + statSync(path.join(file.parentPath, file.name)).size, 0)
    return { dbUrl: `filejson:${folder}`, size }
  }
}

for (const [name, makePlace] of Object.entries(SIZES)) {
  t.test(`${name}: an image that is sent twice in a conversation is stored once`, async (t) => {
    const { dbUrl, size } = makePlace(t)
    const { create, say } = await startStateful(t, { DB_URL: dbUrl })
    const id = await create()
    await say(id, 'Hi')
    const empty = size()
    await say(id, look('One'))
    const once = size()
    t.ok(once - empty > IMAGE.length * 0.9, 'it is there')
    await say(id, look('Two'))
    await say(id, [...look('Three'), ...look('Four')])
    t.ok(size() - once < IMAGE.length / 4, `and not again: ${size() - once} bytes more`)
  })
}

for (const [name, makePlace] of Object.entries(DRIVERS)) {
  t.test(`${name}: an image comes back exactly, in turns, items, messages and to the upstream`, async (t) => {
    const { create, say, respond, turnsOf, itemsOf, call, sent } = await startStateful(t, {
      DB_URL: await makePlace(t)
    })
    const id = await create()
    const messages = look('One')
    await say(id, messages)
    await say(id, look('Two'))
    t.strictSame(sent().messages[0], messages[0])
    for (const [index, turn] of (await turnsOf(id)).entries())
      t.strictSame(turn.detail, { input: look(['One', 'Two'][index] ?? '') })
    const [shown] = await itemsOf(id, INCLUDE)
    t.strictSame(shown?.content, [
      { type: 'input_text', text: 'One' },
      { type: 'input_image', image_url: IMAGE, detail: 'low' }
    ])
    const [hidden] = await itemsOf(id)
    t.equal(hidden?.content[1].image_url, null)
    t.strictSame((await call(`/conversations/${id}/items/${shown?.id}?${INCLUDE.slice(1)}`)).json, shown)
    const { data } = (await call('/chat/completions/chatcmpl-2/messages?limit=1')).json
    t.strictSame(data[0].content_parts, messages[0]?.content)
    await respond([{ role: 'user', content: [{ type: 'input_image', image_url: IMAGE }] }], {
      conversation: id
    })
    t.equal(JSON.stringify(sent().input).split(IMAGE).length - 1, 3, 'as an item too')
    t.match(sent().input[0].content[1], { type: 'input_image', image_url: IMAGE, detail: 'low' })
  })

  t.test(
    `${name}: media outlive the deletion of the first turn that had them, and not that of the last`,
    async (t) => {
      const { create, say, call, turnsOf, itemsOf } = await startStateful(t, { DB_URL: await makePlace(t) })
      const id = await create()
      await say(id, look('One'))
      await say(id, look('Two'))
      await call('/chat/completions/chatcmpl-1', { method: 'DELETE' })
      t.strictSame((await turnsOf(id))[0]?.detail, { input: look('Two') })
      await call(`/conversations/${id}/items`, {
        body: { items: [{ role: 'user', content: [{ type: 'input_image', image_url: IMAGE }] }] }
      })
      await call('/chat/completions/chatcmpl-2', { method: 'DELETE' })
      t.equal((await itemsOf(id, INCLUDE))[0]?.content[0].image_url, IMAGE)
    }
  )

  t.test(`${name}: what looks like a reference to media and is none stays as it is`, async (t) => {
    const { create, say, turnsOf } = await startStateful(t, { DB_URL: await makePlace(t) })
    const id = await create()
    await say(id, look('One'))
    const forged = look('x', `media:sha256:${'0'.repeat(64)}`)
    await say(id, forged)
    t.strictSame((await turnsOf(id))[1]?.detail, { input: forged })
  })
}

t.test('an image that goes with the last turn that had it leaves no bytes behind', async (t) => {
  const folder = tempFolder(t)
  const { create, say, call } = await startStateful(t, { DB_URL: `filejson:${folder}` })
  const id = await create()
  await say(id, 'Hi')
  await say(id, look('One'))
  await call('/chat/completions/chatcmpl-2', { method: 'DELETE' })
  for (const file of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (file.isFile())
      t.notMatch(readFileSync(path.join(file.parentPath, file.name), 'utf8'), IMAGE.slice(0, 60))
  }
})

t.test('media in an answer are kept once too, and go back to the upstream', async (t) => {
  const images = [{ type: 'image_url', image_url: { url: IMAGE } }]
  const { create, say, turnsOf, sent } = await startStateful(t, {}, (res) =>
    sendJson(res, 200, completion('There.', { images }))
  )
  const id = await create()
  await say(id, 'Draw')
  await say(id, 'Again')
  t.match(sent().messages[1], { role: 'assistant', content: 'There.', images })
  for (const turn of await turnsOf(id)) t.match(turn.detail, { choices: [{ message: { images } }] })
})
