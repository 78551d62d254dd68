import { Type } from 'typebox'
import { ApiError, conversationNotFound } from '../errors.ts'
import type { JsonObject, Page, Turn } from '../storage/contract.ts'
import { type ItemPlace, itemPlace } from '../storage/dialogue/item-id.ts'
import { turnAt } from '../storage/dialogue/path.ts'
import { hasItems, itemsOfTurn, type PlacedItem, withoutItem } from '../storage/dialogue/turn-items.ts'
import { isId } from '../storage/ids.ts'
import type { Limits } from '../storage/room.ts'
import { toAddedTurns } from './added-turns.ts'
import { assertItems, Include, ItemView, NewItems, toItemView } from './item-shape.ts'
import { type ReadingLimits, withinBytes } from './page-bytes.ts'
import type { RoutePlugin } from './route-plugin.ts'
import {
  ConversationView,
  invalidCursor,
  ListView,
  pageQuery,
  toConversationView,
  toListView,
  verbatim
} from './shapes.ts'

const Params = Type.Object({ id: Type.String() })
const ItemParams = Type.Object({ id: Type.String(), itemId: Type.String() })
const Query = Type.Object({ include: Include }, { additionalProperties: false })
const ListQuery = Type.Object({ ...pageQuery('desc'), include: Include }, { additionalProperties: false })
const Body = Type.Object({ items: NewItems }, { title: 'NewItems', additionalProperties: false })

const TAGS = ['Conversations']

/** The most turns that are read at once to fill a page of items. */
const MAX_TURNS = 50

/** `/v1/conversations/{id}/items`: what the turns say, as OpenAI's items. */
const items: RoutePlugin<Pick<Limits, 'maxTurns'> & ReadingLimits> = async (app, limits) => {
  const { maxTurns, maxPageBytes } = limits

  app.post(
    '/conversations/:id/items',
    {
      serializerCompiler: verbatim,
      schema: {
        operationId: 'createConversationItems',
        summary: 'Adds items without a model call',
        tags: TAGS,
        params: Params,
        querystring: Query,
        body: Body,
        response: { 200: ListView(ItemView) }
      }
    },
    async ({ params, query, body, sessionId }) => {
      const given = body.items as JsonObject[]
      assertItems(given)
      const known = isId('conv', params.id)
      const turns = known
        ? await app.store.addTurns(sessionId, params.id, toAddedTurns(given), maxTurns)
        : null
      if (!turns) throw conversationNotFound()
      const data = turns.flatMap(itemsOfTurn)
      return toListView({ data, hasMore: false }, (item) => toItemView(item, query.include))
    }
  )

  app.get(
    '/conversations/:id/items',
    {
      serializerCompiler: verbatim,
      schema: {
        operationId: 'listConversationItems',
        summary: "Lists a conversation as OpenAI's items, newest first",
        tags: TAGS,
        params: Params,
        querystring: ListQuery,
        response: { 200: ListView(ItemView) }
      }
    },
    async ({ params, query, sessionId }) => {
      const { limit, order, after, include } = query
      const place = after === undefined ? null : itemPlace(after)
      if (after !== undefined && place === null) throw invalidCursor()
      const page = await pageOfItems(sessionId, params.id, order, limit, place)
      return toListView(page, (item) => toItemView(item, include))
    }
  )

  app.get(
    '/conversations/:id/items/:itemId',
    {
      serializerCompiler: verbatim,
      schema: {
        operationId: 'getConversationItem',
        summary: 'One item of a conversation',
        tags: TAGS,
        params: ItemParams,
        querystring: Query,
        response: { 200: ItemView }
      }
    },
    async ({ params, query, sessionId }) =>
      toItemView((await find(sessionId, params.id, params.itemId)).item, query.include)
  )

  app.delete(
    '/conversations/:id/items/:itemId',
    {
      schema: {
        operationId: 'deleteConversationItem',
        summary: 'Deletes an item for good; answers its conversation',
        tags: TAGS,
        params: ItemParams,
        response: { 200: ConversationView }
      }
    },
    async ({ params, sessionId }) => {
      const { turn, item } = await find(sessionId, params.id, params.itemId)
      await app.store.changeTurn(sessionId, turn, (now) => withoutItem(now, item.position))
      const conversation = await app.store.getConversation(sessionId, params.id)
      if (!conversation) throw conversationNotFound()
      return toConversationView(conversation)
    }
  )

  /**
   * The items after `place`, of turns that together have no more content than a page may have, or of one turn. Only
   * then, its items are measured.
   */
  async function pageOfItems(
    sessionId: string,
    id: string,
    order: 'asc' | 'desc',
    limit: number,
    place: ItemPlace | null
  ): Promise<Page<PlacedItem>> {
    if (place) await assertCursor(sessionId, id, place)
    const found: PlacedItem[] = []
    let bytes = 0
    // As most turns are a question and an answer, and the cursor's turn is read again.
    let count = Math.min(Math.ceil((limit + 1) / 2) + (place ? 1 : 0), MAX_TURNS)
    let from = place && (order === 'asc' ? place.seq - 1 : place.seq + 1)
    for (;;) {
      const cut = from === null ? {} : order === 'asc' ? { afterSeq: from } : { beforeSeq: from }
      const page = isId('conv', id)
        ? await app.store.listTurns(sessionId, id, {
            limit: count,
            order,
            ...cut,
            withoutFailed: true,
            maxBytes: maxPageBytes - bytes
          })
        : null
      if (!page) throw conversationNotFound()
      for (const turn of page.data.filter(hasItems)) {
        const items = itemsOfTurn(turn)
        if (order === 'desc') items.reverse()
        // One by one: a turn can hold more items than a call takes arguments.
        for (const item of items) if (comesAfter(place, turn, item, order)) found.push(item)
      }
      from = page.data.at(-1)?.seq ?? null
      // A page without items of its own has nothing to hold.
      if (found.length > 0) bytes += page.bytes ?? 0
      const cutShort = page.data.length < count && found.length > 0
      const isFull = found.length > limit || bytes >= maxPageBytes || cutShort
      count = Math.min(2 * count, MAX_TURNS)
      if (page.hasMore && !isFull) continue
      const whole = { data: found.slice(0, limit), hasMore: found.length > limit || page.hasMore }
      return bytes > maxPageBytes ? withinBytes(whole, maxPageBytes) : whole
    }
  }

  /** A cursor has its place in the conversation even when its turn is gone, which leaves a gap. */
  async function assertCursor(sessionId: string, id: string, { turnId, seq }: ItemPlace): Promise<void> {
    const conversation = isId('conv', id) ? await app.store.getConversation(sessionId, id) : null
    if (!conversation) throw conversationNotFound()
    const turn = await turnAt(app.store, sessionId, id, seq)
    const belongs = turn ? turn.id === turnId : seq > 0 && seq <= conversation.lastSeq
    if (!belongs) throw invalidCursor()
  }

  async function find(sessionId: string, id: string, itemId: string) {
    if (!isId('conv', id) || !(await app.store.getConversation(sessionId, id))) throw conversationNotFound()
    const place = itemPlace(itemId)
    const turn = place && (await turnAt(app.store, sessionId, id, place.seq))
    const item = turn && hasItems(turn) && itemsOfTurn(turn).find((candidate) => candidate.id === itemId)
    if (!item) throw new ApiError(404, 'item_not_found', 'No such item in this conversation.')
    return { turn, item }
  }
}

export default items

function comesAfter(place: ItemPlace | null, turn: Turn, item: PlacedItem, order: 'asc' | 'desc'): boolean {
  if (place === null || turn.seq !== place.seq) return true
  return order === 'asc' ? item.position > place.position : item.position < place.position
}
