import { Type } from 'typebox'
import { ApiError, conversationNotFound } from '../errors.ts'
import type { Conversation, JsonObject } from '../storage/contract.ts'
import { isId, newId } from '../storage/ids.ts'
import { assertRoom, type Limits } from '../storage/room.ts'
import { searchWords } from '../storage/search-words.ts'
import { titleOf } from '../storage/title.ts'
import { toAddedTurns } from './added-turns.ts'
import { assertItems, NewItems } from './item-shape.ts'
import type { RoutePlugin } from './route-plugin.ts'
import {
  ConversationView,
  DeletedView,
  invalidCursor,
  ListView,
  Metadata,
  Nullish,
  pageQuery,
  toConversationView,
  toListView
} from './shapes.ts'

const Params = Type.Object({ id: Type.String() })

const Title = Type.Union([Type.String({ maxLength: 512 }), Type.Null()])
const NewConversation = Type.Object(
  {
    metadata: Type.Optional(Type.Union([Metadata, Type.Null()])),
    title: Type.Optional(Title),
    model: Type.Optional(Type.Union([Type.String({ maxLength: 256 }), Type.Null()])),
    items: Nullish(NewItems)
  },
  { title: 'NewConversation', additionalProperties: false }
)
const Changes = Type.Object(
  {
    metadata: Type.Optional(Type.Union([Metadata, Type.Null()])),
    title: Type.Optional(Title),
    pinned: Type.Optional(Type.Boolean())
  },
  { title: 'ConversationChanges', additionalProperties: false, minProperties: 1 }
)
const ListQuery = Type.Object(
  {
    ...pageQuery('desc'),
    before: Type.Optional(Type.String()),
    pinned: Type.Optional(Type.Boolean()),
    metadata: Type.Optional(Metadata),
    q: Type.Optional(Type.String({ maxLength: 512 }))
  },
  { additionalProperties: false }
)
const Deleted = DeletedView('conversation.deleted', 'ConversationDeleted')
const TAGS = ['Conversations']

/** `/v1/conversations`: OpenAI's calls, and the list that OpenAI lacks. */
const conversations: RoutePlugin<Limits> = async (app, limits) => {
  app.post(
    '/conversations',
    {
      schema: {
        operationId: 'createConversation',
        summary: 'Makes a conversation, empty or with items',
        tags: TAGS,
        body: Type.Optional(Type.Union([NewConversation, Type.Null()])),
        response: { 200: ConversationView }
      }
    },
    async ({ body, sessionId }) => {
      const items = (body?.items ?? []) as JsonObject[]
      assertItems(items)
      const turns = toAddedTurns(items)
      await assertRoom(app.store, sessionId, turns.length, limits)
      const given = {
        id: newId('conv'),
        sessionId,
        title: body?.title ?? titleOf(turns[0]?.userText ?? null),
        model: body?.model ?? null,
        metadata: body?.metadata ?? {},
        createdAt: Date.now()
      }
      const conversation = await app.store.createConversation(given, turns)
      return toConversationView(conversation)
    }
  )

  app.get(
    '/conversations',
    {
      schema: {
        operationId: 'listConversations',
        summary: 'Lists conversations, newest first; searches them with `q` and `metadata`',
        tags: TAGS,
        querystring: ListQuery,
        response: { 200: ListView(ConversationView) }
      }
    },
    async ({ query, sessionId }) => {
      for (const cursor of ['after', 'before'] as const) {
        const id = query[cursor]
        if (id !== undefined && !isId('conv', id)) {
          throw invalidCursor(cursor)
        }
      }
      if (query.after !== undefined && query.before !== undefined) {
        throw new ApiError(400, 'invalid_value', "Invalid 'before': not together with 'after'.", {
          param: 'before'
        })
      }
      const { q, ...page } = query
      const words = q === undefined ? undefined : searchWords(q)
      if (words?.length === 0) {
        throw new ApiError(400, 'invalid_value', "Invalid 'q': it holds no word.", { param: 'q' })
      }
      return toListView(await app.store.listConversations(sessionId, { ...page, words }), toConversationView)
    }
  )

  app.get(
    '/conversations/:id',
    {
      schema: {
        operationId: 'getConversation',
        summary: 'One conversation',
        tags: TAGS,
        params: Params,
        response: { 200: ConversationView }
      }
    },
    async ({ params, sessionId }) =>
      toConversationView(
        found(isId('conv', params.id) && (await app.store.getConversation(sessionId, params.id)))
      )
  )

  app.post(
    '/conversations/:id',
    {
      schema: {
        operationId: 'updateConversation',
        summary: 'Changes `title`, `metadata` or `pinned`',
        tags: TAGS,
        params: Params,
        body: Changes,
        response: { 200: ConversationView }
      }
    },
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
    {
      schema: {
        operationId: 'deleteConversation',
        summary: 'Deletes a conversation and its turns for good',
        tags: TAGS,
        params: Params,
        response: { 200: Deleted }
      }
    },
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
