import OpenAI from 'openai'
import type { ClientCall } from './client-call.ts'
import { describe, saidIn } from './service.ts'

const ASK = { model: 'm', input: 'Hi' }

export const chainCalls: ClientCall[] = [
  {
    call: 'responses.create, `previous_response_id`, a chain and its forks',
    async check(t, { openai, answers, asked, turns, items }) {
      answers(...['one', 'two', 'other two', 'other three', 'three'].map((text) => ({ text })))
      const say = (input: string, previous?: string) =>
        openai().responses.create({
          model: 'm',
          input,
          instructions: `for ${input}`,
          ...(previous && { previous_response_id: previous })
        })
      const first = await say('1')
      const second = await say('2', first.id)
      const fork = await say('2b', first.id)
      t.same(saidIn(asked()[1]), ['user: 1', 'assistant: one', 'user: 2'])
      t.same(saidIn(asked()[2]), ['user: 1', 'assistant: one', 'user: 2b'])
      t.equal(asked()[2]?.instructions, 'for 2b')
      const stored = await turns()
      t.match(stored, [
        { seq: 1, superseded: false },
        { seq: 2, superseded: true, completionId: second.id },
        { seq: 3, parentSeq: 1, superseded: false }
      ])
      t.same(await items(stored[0]?.conversationId ?? ''), [
        'user: 1',
        'assistant: one',
        'user: 2b',
        'assistant: other two'
      ])
      t.equal((await openai().responses.retrieve(fork.id)).previous_response_id, first.id)

      await say('3b', fork.id)
      t.same(saidIn(asked()[3]), [
        'user: 1',
        'assistant: one',
        'user: 2b',
        'assistant: other two',
        'user: 3b'
      ])
      await say('3', second.id)
      t.same(saidIn(asked()[4]), ['user: 1', 'assistant: one', 'user: 2', 'assistant: two', 'user: 3'])
      const path = (await turns()).filter(({ superseded }) => !superseded)
      t.same(
        path.map(({ assistantText }) => assistantText),
        ['one', 'two', 'three'],
        'the path is the newest branch'
      )
    }
  },
  {
    call: 'responses.create, `conversation`',
    async check(t, { openai, answers, asked, items, turns }) {
      const { id } = await openai().conversations.create({
        items: [{ type: 'message', role: 'user', content: 'I am Kim.' }]
      })
      answers({ text: 'Hello Kim', reasoning: 'A name.' }, { text: 'Kim' })
      const include: OpenAI.Responses.ResponseIncludable[] = ['reasoning.encrypted_content']
      await openai().responses.create({ ...ASK, conversation: id, include })
      await openai().responses.create({ model: 'm', input: 'Name?', conversation: { id } })
      t.same(saidIn(asked()[1]), [
        'user: I am Kim.',
        'user: Hi',
        'reasoning',
        'assistant: Hello Kim',
        'user: Name?'
      ])
      t.same(await items(id), [
        'user: I am Kim.',
        'user: Hi',
        'reasoning',
        'assistant: Hello Kim',
        'user: Name?',
        'assistant: Kim'
      ])
      t.equal((await turns()).length, 3)
    }
  },
  {
    call: 'responses.retrieve',
    async check(t, { openai, answers }) {
      answers({ text: 'Hello world', reasoning: 'They greet me.' })
      const made = await openai().responses.create(ASK)
      const found = await openai().responses.retrieve(made.id)
      t.match(found, { id: made.id, status: 'completed', output_text: 'Hello world', store: true })
      t.same(found.usage, made.usage)
      const err = await openai()
        .responses.retrieve('resp_none')
        .catch((e) => e)
      t.ok(err instanceof OpenAI.NotFoundError)
    }
  },
  {
    call: 'responses.delete',
    async check(t, { openai, answers, turns }) {
      answers({ text: 'Hello world' })
      const { id } = await openai().responses.create(ASK)
      await openai().responses.delete(id)
      t.same(await turns(), [])
      const err = await openai()
        .responses.retrieve(id)
        .catch((e) => e)
      t.ok(err instanceof OpenAI.NotFoundError)
    }
  },
  {
    call: 'responses.inputItems.list, all pages',
    async check(t, { openai, answers }) {
      answers({ text: 'one' }, { text: 'two' })
      const first = await openai().responses.create({ model: 'm', input: '1' })
      const next = { model: 'm', input: '2', previous_response_id: first.id }
      const { id } = await openai().responses.create(next)
      const seen: string[] = []
      for await (const item of openai().responses.inputItems.list(id, { limit: 2 })) {
        seen.push(describe(item as OpenAI.Conversations.ConversationItem))
      }
      t.same(seen, ['user: 2', 'assistant: one', 'user: 1'])
    }
  }
]
