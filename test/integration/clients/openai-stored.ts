import OpenAI from 'openai'
import { type ClientCall, user } from './client-call.ts'
import type { Service } from './service.ts'

/** Completions with these answers; the model of each is `m1`, but of the last. */
async function fill({ openai, answers }: Service, texts: string[], id?: string): Promise<string[]> {
  answers(...texts.map((text) => ({ text, ...(id && { id }) })))
  const ids: string[] = []
  for (const [index, text] of texts.entries()) {
    const completion = await openai().chat.completions.create({
      model: index === texts.length - 1 ? 'm2' : 'm1',
      messages: [{ role: 'system', content: 'Be brief.' }, user(`say ${text}`)],
      store: true,
      metadata: { text }
    })
    ids.push(completion.id)
  }
  return ids
}

const contents = (page: OpenAI.ChatCompletion[]) => page.map(({ choices }) => choices[0]?.message.content)

export const storedCalls: ClientCall[] = [
  {
    call: 'chat.completions.list, all pages',
    async check(t, service) {
      const ids = await fill(service, ['a', 'b', 'c'])
      const seen = []
      for await (const completion of service.openai().chat.completions.list({ limit: 2 }))
        seen.push(completion)
      t.same(
        seen.map(({ id }) => id),
        ids,
        'the oldest first'
      )
      t.same(contents(seen), ['a', 'b', 'c'])
      const newest = await service.openai().chat.completions.list({ limit: 1, order: 'desc' })
      t.same(contents(newest.data), ['c'])
    }
  },
  {
    call: 'chat.completions.list, `model` and `metadata`',
    async check(t, service) {
      await fill(service, ['a', 'b', 'c'])
      const find = async (query: OpenAI.Chat.ChatCompletionListParams) =>
        contents((await service.openai().chat.completions.list(query)).data)
      t.same(await find({ model: 'm1' }), ['a', 'b'])
      t.same(await find({ metadata: { text: 'b' } }), ['b'])
      t.same(await find({ model: 'm2', metadata: { text: 'b' } }), [])
    }
  },
  {
    call: 'chat.completions.list, over an upstream that repeats ids',
    async check(t, service) {
      await fill(service, ['a', 'b', 'c'], 'chatcmpl-123')
      const seen = []
      for await (const completion of service.openai().chat.completions.list({ limit: 1 }))
        seen.push(completion)
      t.same(contents(seen), ['a', 'b', 'c'])
      t.equal(new Set(seen.map(({ id }) => id)).size, 3, 'each has an id of its own')
      for (const { id, choices } of seen) {
        const found = await service.openai().chat.completions.retrieve(id)
        t.equal(found.choices[0]?.message.content, choices[0]?.message.content)
      }
      t.same(
        (await service.turns()).map(({ completionId }) => completionId),
        Array(3).fill('chatcmpl-123')
      )
    }
  },
  {
    call: 'chat.completions.retrieve',
    async check(t, service) {
      const [id = ''] = await fill(service, ['a'])
      const [turn] = await service.turns()
      for (const name of [id, turn?.id ?? '']) {
        const found = await service.openai().chat.completions.retrieve(name)
        t.match(found, { id: name, object: 'chat.completion', model: 'm2', metadata: { text: 'a' } })
        t.match(found.choices, [
          { index: 0, message: { role: 'assistant', content: 'a' }, finish_reason: 'stop' }
        ])
        t.match(found.usage, { total_tokens: 7 })
      }
      const err = await service
        .openai()
        .chat.completions.retrieve('chatcmpl-none')
        .catch((e) => e)
      t.ok(err instanceof OpenAI.NotFoundError)
    }
  },
  {
    call: 'chat.completions.update',
    async check(t, service) {
      const [id = ''] = await fill(service, ['a'])
      const changed = await service.openai().chat.completions.update(id, { metadata: { new: 'yes' } })
      t.match(changed, { id, metadata: { new: 'yes' } })
      t.same(await service.openai().chat.completions.retrieve(id), changed)
      t.match(await service.turns(), [{ metadata: { new: 'yes' }, assistantText: 'a' }])
      const { data } = await service.openai().chat.completions.list({ metadata: { text: 'a' } })
      t.same(data, [])
    }
  },
  {
    call: 'chat.completions.delete',
    async check(t, service) {
      const [id = ''] = await fill(service, ['a', 'b'])
      const deleted = { id, object: 'chat.completion.deleted', deleted: true }
      t.same(await service.openai().chat.completions.delete(id), deleted)
      const { data } = await service.openai().chat.completions.list()
      t.same(contents(data), ['b'])
      t.match(await service.turns(), [{ assistantText: 'b' }])
      t.equal((await service.turns()).length, 1)
      const err = await service
        .openai()
        .chat.completions.retrieve(id)
        .catch((e) => e)
      t.ok(err instanceof OpenAI.NotFoundError)
    }
  },
  {
    call: 'chat.completions.messages.list, all pages',
    async check(t, service) {
      const { openai, answers, asked, turns } = service
      const [id = ''] = await fill(service, ['a'])
      const [first] = await turns()
      answers({ text: 'b' })
      const headers = { 'x-conversation-id': first?.conversationId ?? '' }
      const parts = [{ type: 'text' as const, text: 'and' }]
      const messages = [
        { role: 'system' as const, content: 'Be brief.' },
        user('say a'),
        { role: 'assistant' as const, content: 'a' },
        { role: 'user' as const, content: parts }
      ]
      const second = await openai().chat.completions.create({ model: 'm', messages }, { headers })
      t.same(asked().at(-1)?.messages, messages)
      const seen = []
      for await (const message of openai().chat.completions.messages.list(second.id, { limit: 3 })) {
        seen.push([message.role, message.content, message.content_parts])
      }
      t.same(seen, [
        ['system', 'Be brief.', null],
        ['user', 'say a', null],
        ['assistant', 'a', null],
        ['user', null, parts]
      ])
      t.equal((await openai().chat.completions.messages.list(id)).data.length, 2)
    }
  }
]
