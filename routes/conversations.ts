import { Type } from 'typebox'
import { ApiError, conversationNotFound } from '../errors.ts'
import type { Conversation } from '../storage/contract.ts'
import { isId, newId } from '../storage/ids.ts'
import type { RoutePlugin } from './route-plugin.ts'
import { ConversationView, ListView, Metadata, toConversationView, toListView } from './shapes.ts'

const Params = Type.Object({ id: Type.String() })

const Title = Type.Union([Type.String({ maxLength: 512 }), Type.Null()])
const NewConversation = Type.Object(
  {
    metadata: Type.Optional(Type.Union([Metadata, Type.Null()])),
    title: Type.Optional(Title),
    model: Type.Optional(Type.Union([Type.String({ maxLength: 256 }), Type.Null()]))
  },
  { additionalProperties: false }
)
const Changes = Type.Object(
  {
    metadata: Type.Optional(Type.Union([Metadata, Type.Null()])),
    title: Type.Optional(Title),
    pinned: Type.Optional(Type.Boolean())
  },
  { additionalProperties: false, minProperties: 1 }
)
const ListQuery = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
    order: Type.Union([Type.Literal('asc'), Type.Literal('desc')], { default: 'desc' }),
    after: Type.Optional(Type.String()),
    before: Type.Optional(Type.String()),
    pinned: Type.Optional(Type.Boolean())
  },
  { additionalProperties: false }
)
const Deleted = Type.Object({
  id: Type.String(),
  object: Type.Literal('conversation.deleted'),
  deleted: Type.Literal(true)
})

/** `/v1/conversations`: OpenAI's calls, and the list that OpenAI lacks. */
const conversations: RoutePlugin = async (app) => {
  app.post(
    '/conversations',
    {
      schema: {
        body: Type.Optional(Type.Union([NewConversation, Type.Null()])),
        response: { 200: ConversationView }
      }
    },
    async ({ body, sessionId }) => {
      const conversation = await app.store.createConversation({
        id: newId('conv'),
        sessionId,
        title: body?.title ?? null,
        model: body?.model ?? null,
        metadata: body?.metadata ?? {},
        createdAt: Date.now()
      })
      return toConversationView(conversation)
    }
  )

  app.get(
    '/conversations',
    { schema: { querystring: ListQuery, response: { 200: ListView(ConversationView) } } },
    async ({ query, sessionId }) => {
      for (const cursor of ['after', 'before'] as const) {
        const id = query[cursor]
        if (id !== undefined && !isId('conv', id)) {
          throw new ApiError(400, 'invalid_value', `Invalid '${cursor}': not a conversation id.`, {
            param: cursor
          })
        }
      }
      if (query.after !== undefined && query.before !== undefined) {
        throw new ApiError(400, 'invalid_value', "Invalid 'before': not together with 'after'.", {
          param: 'before'
        })
      }
      return toListView(await app.store.listConversations(sessionId, query), toConversationView)
    }
  )

  app.get(
    '/conversations/:id',
    { schema: { params: Params, response: { 200: ConversationView } } },
    async ({ params, sessionId }) =>
      toConversationView(
        found(isId('conv', params.id) && (await app.store.getConversation(sessionId, params.id)))
      )
  )

  app.post(
    '/conversations/:id',
    { schema: { params: Params, body: Changes, response: { 200: ConversationView } } },
    async ({ params, body, sessionId }) => {
      const { metadata, ...rest } = body
      const changes = { ...rest, ...(metadata !== undefined && { metadata: metadata ?? {} }) }
      const known = isId('conv', params.id)
      return toConversationView(
        found(known && (await app.store.updateConversation(sessionId, params.id, changes)))
      )
    }
  )

  app.delete(
    '/conversations/:id',
    { schema: { params: Params, response: { 200: Deleted } } },
    async ({ params, sessionId }) => {
      const deleted = isId('conv', params.id) && (await app.store.deleteConversation(sessionId, params.id))
      if (!deleted) throw conversationNotFound()
      return { id: params.id, object: 'conversation.deleted' as const, deleted: true as const }
    }
  )
}

export default conversations

function found(conversation: Conversation | null | false): Conversation {
  if (!conversation) throw conversationNotFound()
  return conversation
}
