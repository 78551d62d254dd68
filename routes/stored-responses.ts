import { Type } from 'typebox'
import { ApiError } from '../errors.ts'
import type { Turn } from '../storage/contract.ts'
import { sendableItems } from '../storage/dialogue/call-results.ts'
import { isHistory } from '../storage/dialogue/history.ts'
import { FIRST_OUTPUT } from '../storage/dialogue/item-id.ts'
import { turnAt } from '../storage/dialogue/path.ts'
import { itemsOfTurn, type PlacedItem } from '../storage/dialogue/turn-items.ts'
import { Include, ItemView, toItemView } from './item-shape.ts'
import { type ReadingLimits, withinBytes } from './page-bytes.ts'
import { StoredResponseView, toResponse } from './response-shape.ts'
import type { RoutePlugin } from './route-plugin.ts'
import { DeletedView, ListView, pageOf, pageQuery, toListView, verbatim } from './shapes.ts'
import { findResponse, historyOf } from './thread.ts'

const Params = Type.Object({ id: Type.String() })
const GetQuery = Type.Object(
  {
    include: Include,
    stream: Type.Optional(Type.Boolean()),
    include_obfuscation: Type.Optional(Type.Boolean())
  },
  { additionalProperties: false }
)
const ItemsQuery = Type.Object({ ...pageQuery('desc'), include: Include }, { additionalProperties: false })
const Deleted = DeletedView('response', 'ResponseDeleted')
const TAGS = ['Responses']

/** `/v1/responses/{id}`: responses that were kept, a view of their turns. */
const storedResponses: RoutePlugin<ReadingLimits> = async (app, { maxPageBytes, maxHistoryBytes }) => {
  app.get(
    '/responses/:id',
    {
      serializerCompiler: verbatim,
      schema: {
        operationId: 'getResponse',
        summary: 'A response that was kept',
        tags: TAGS,
        params: Params,
        querystring: GetQuery,
        response: { 200: StoredResponseView }
      }
    },
    async ({ params, query, sessionId }) => {
      if (query.stream) {
        const message = "'stream' is not supported here: the response is kept whole."
        throw new ApiError(400, 'unsupported_parameter', message, { param: 'stream' })
      }
      const turn = await get(sessionId, params.id)
      return { ...toResponse(turn, await previousOf(sessionId, turn)), id: params.id }
    }
  )

  app.delete(
    '/responses/:id',
    {
      schema: {
        operationId: 'deleteResponse',
        summary: 'Deletes a response and its turn for good',
        tags: TAGS,
        params: Params,
        response: { 200: Deleted }
      }
    },
    async ({ params, sessionId }) => {
      const turn = await get(sessionId, params.id)
      if (!(await app.store.changeTurn(sessionId, turn, () => null))) throw notFound()
      return { id: params.id, object: 'response' as const, deleted: true as const }
    }
  )

  app.get(
    '/responses/:id/input_items',
    {
      serializerCompiler: verbatim,
      schema: {
        operationId: 'listResponseInputItems',
        summary: 'What the model was sent for a response, as items, newest first',
        tags: TAGS,
        params: Params,
        querystring: ItemsQuery,
        response: { 200: ListView(ItemView) }
      }
    },
    async ({ params, query, sessionId }) => {
      const items = await inputOf(sessionId, await get(sessionId, params.id))
      const page = withinBytes(pageOf(items, query), maxPageBytes)
      return toListView(page, (item) => toItemView(item, query.include))
    }
  )

  /** What the answer was made from: the items of the turns before that count for it, and what this one asks. */
  async function inputOf(sessionId: string, turn: Turn): Promise<PlacedItem[]> {
    const { conversationId, parentSeq } = turn
    const before = await historyOf(app.store, sessionId, conversationId, parentSeq, maxHistoryBytes)
    const asked = itemsOfTurn(turn).filter(({ position }) => position < FIRST_OUTPUT)
    const history = (before ?? []).filter(isHistory).flatMap(itemsOfTurn)
    const itemsIn = (placed: PlacedItem[]) => placed.map(({ item }) => item)
    const sent = new Set(sendableItems(itemsIn(history), itemsIn(asked)))
    return [...history.filter(({ item }) => sent.has(item)), ...asked]
  }

  async function previousOf(sessionId: string, turn: Turn): Promise<string | null> {
    if (turn.parentSeq === 0) return null
    const previous = await turnAt(app.store, sessionId, turn.conversationId, turn.parentSeq)
    return previous?.kind === 'response' ? (previous.completionId ?? previous.id) : null
  }

  async function get(sessionId: string, id: string): Promise<Turn> {
    const turn = await findResponse(app.store, sessionId, id)
    if (!turn) throw notFound()
    return turn
  }
}

export default storedResponses

function notFound(): ApiError {
  return new ApiError(404, 'response_not_found', 'No such response.')
}
