import { Type } from 'typebox'
import { conversationNotFound } from '../errors.ts'
import { isId } from '../storage/ids.ts'
import type { ReadingLimits } from './page-bytes.ts'
import type { RoutePlugin } from './route-plugin.ts'
import { ListView, TurnView, toListView, toTurnView } from './shapes.ts'

const Params = Type.Object({ id: Type.String() })
const Seq = Type.Integer({ minimum: 0, maximum: 2_147_483_647 })
const Query = Type.Object(
  {
    limit: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
    order: Type.Union([Type.Literal('asc'), Type.Literal('desc')], { default: 'asc' }),
    after_seq: Type.Optional(Seq),
    before_seq: Type.Optional(Seq),
    include: Type.Optional(Type.Literal('superseded'))
  },
  { additionalProperties: false }
)

/** `/v1/conversations/{id}/turns`: the history, a row per turn. */
const turns: RoutePlugin<ReadingLimits> = async (app, { maxPageBytes }) => {
  app.get(
    '/conversations/:id/turns',
    {
      schema: {
        operationId: 'listTurns',
        summary: 'The history of a conversation, a row per turn, oldest first',
        tags: ['Conversations'],
        params: Params,
        querystring: Query,
        response: { 200: ListView(TurnView) }
      }
    },
    async ({ params, query, sessionId }) => {
      if (!isId('conv', params.id)) throw conversationNotFound()
      const page = await app.store.listTurns(sessionId, params.id, {
        limit: query.limit,
        order: query.order,
        afterSeq: query.after_seq,
        beforeSeq: query.before_seq,
        includeSuperseded: query.include === 'superseded',
        maxBytes: maxPageBytes
      })
      if (!page) throw conversationNotFound()
      return toListView(page, toTurnView)
    }
  )
}

export default turns
