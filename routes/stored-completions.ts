import { type Static, Type } from 'typebox'
import { ApiError } from '../errors.ts'
import type { JsonObject, SessionTurn, Turn } from '../storage/contract.ts'
import { sendableMessages } from '../storage/dialogue/call-results.ts'
import { chatHistory, splitPrompt } from '../storage/dialogue/history.ts'
import { inputMessages } from '../storage/dialogue/turn-content.ts'
import { isId } from '../storage/ids.ts'
import {
  CompletionMessageView,
  StoredCompletionView,
  toCompletion,
  toCompletionMessage
} from './completion-shape.ts'
import { type ReadingLimits, withinBytes } from './page-bytes.ts'
import type { RoutePlugin } from './route-plugin.ts'
import {
  DeletedView,
  invalidCursor,
  ListView,
  Metadata,
  pageOf,
  pageQuery,
  toListView,
  verbatim
} from './shapes.ts'
import { historyOf } from './thread.ts'

const Params = Type.Object({ id: Type.String() })
const Changes = Type.Object(
  { metadata: Type.Union([Metadata, Type.Null()]) },
  { title: 'ChatCompletionChanges', additionalProperties: false }
)
const ListQuery = Type.Object(
  { ...pageQuery('asc'), model: Type.Optional(Type.String()), metadata: Type.Optional(Metadata) },
  { additionalProperties: false }
)
const MessagesQuery = Type.Object(pageQuery('asc'), { additionalProperties: false })
const Deleted = DeletedView('chat.completion.deleted', 'ChatCompletionDeleted')
const TAGS = ['Chat']

/** `/v1/chat/completions` by GET and by id: OpenAI's stored completions, a view of the turns that completed. */
const storedCompletions: RoutePlugin<ReadingLimits> = async (app, { maxPageBytes, maxHistoryBytes }) => {
  app.get(
    '/chat/completions',
    {
      serializerCompiler: verbatim,
      schema: {
        operationId: 'listChatCompletions',
        summary: 'Lists the chat completions that completed, oldest first',
        tags: TAGS,
        querystring: ListQuery,
        response: { 200: ListView(StoredCompletionView) }
      }
    },
    async ({ query, sessionId }) => {
      const { after, ...rest } = query
      const last = after === undefined ? null : await find(sessionId, after)
      if (after !== undefined && last === null) throw invalidCursor()
      const place = { kind: 'chat', after: last?.id } as const
      const page = await app.store.listSessionTurns(sessionId, { ...rest, ...place, maxBytes: maxPageBytes })
      return toListView(page, (turn) => {
        const completion = toCompletion(turn, idOf(turn))
        return { ...completion, id: idOf(turn) }
      })
    }
  )

  app.get(
    '/chat/completions/:id',
    {
      serializerCompiler: verbatim,
      schema: {
        operationId: 'getChatCompletion',
        summary: 'One stored chat completion',
        tags: TAGS,
        params: Params,
        response: { 200: StoredCompletionView }
      }
    },
    async ({ params, sessionId }) => toCompletion(await get(sessionId, params.id), params.id)
  )

  app.post(
    '/chat/completions/:id',
    {
      serializerCompiler: verbatim,
      schema: {
        operationId: 'updateChatCompletion',
        summary: 'Replaces the `metadata` of a stored chat completion',
        tags: TAGS,
        params: Params,
        body: Changes,
        response: { 200: StoredCompletionView }
      }
    },
    async ({ params, body, sessionId }) => {
      const turn = await get(sessionId, params.id)
      const metadata: Static<typeof Metadata> = body.metadata ?? {}
      const changed = await app.store.changeTurn(sessionId, turn, (now) => ({ ...now, metadata }))
      if (!changed) throw notFound()
      return toCompletion({ ...turn, metadata }, params.id)
    }
  )

  app.delete(
    '/chat/completions/:id',
    {
      schema: {
        operationId: 'deleteChatCompletion',
        summary: 'Deletes a stored chat completion and its turn for good',
        tags: TAGS,
        params: Params,
        response: { 200: Deleted }
      }
    },
    async ({ params, sessionId }) => {
      const turn = await get(sessionId, params.id)
      if (!(await app.store.changeTurn(sessionId, turn, () => null))) throw notFound()
      return { id: params.id, object: 'chat.completion.deleted' as const, deleted: true as const }
    }
  )

  app.get(
    '/chat/completions/:id/messages',
    {
      serializerCompiler: verbatim,
      schema: {
        operationId: 'listChatCompletionMessages',
        summary: 'What the model was sent for a stored chat completion',
        tags: TAGS,
        params: Params,
        querystring: MessagesQuery,
        response: { 200: ListView(CompletionMessageView) }
      }
    },
    async ({ params, query, sessionId }) => {
      const turn = await get(sessionId, params.id)
      const ids = (messages: JsonObject[]) =>
        messages.map((message, index) => toCompletionMessage(message, `${params.id}-${index}`))
      const messages = ids(await messagesBefore(sessionId, turn))
      return toListView(withinBytes(pageOf(messages, query), maxPageBytes), (message) => message)
    }
  )

  /** What the model was sent: what the turns before say, as they are now, and what this one asks. */
  async function messagesBefore(sessionId: string, turn: Turn): Promise<JsonObject[]> {
    const { conversationId, parentSeq } = turn
    const before = await historyOf(app.store, sessionId, conversationId, parentSeq, maxHistoryBytes)
    const { system, dialogue } = chatHistory(before ?? [])
    const [prompt, asked] = splitPrompt(inputMessages(turn))
    return [...(prompt.length > 0 ? prompt : system), ...sendableMessages(dialogue, asked), ...asked]
  }

  async function get(sessionId: string, id: string): Promise<Turn> {
    const turn = await find(sessionId, id)
    if (!turn) throw notFound()
    return turn
  }

  /** Only what completed is a completion. */
  async function find(sessionId: string, id: string): Promise<Turn | null> {
    const by = isId('turn', id) ? { id } : { completionId: id, kind: 'chat' as const }
    const turn = await app.store.findTurn(sessionId, by)
    return turn?.kind === 'chat' && turn.status === 'completed' ? turn : null
  }
}

export default storedCompletions

/** The upstream's id, unless there is none or a newer completion has it too. */
function idOf(turn: SessionTurn): string {
  return turn.completionId !== null && turn.newestOfItsId ? turn.completionId : turn.id
}

function notFound(): ApiError {
  return new ApiError(404, 'completion_not_found', 'No such chat completion.')
}
