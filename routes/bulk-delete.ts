import { Type } from 'typebox'
import { ApiError } from '../errors.ts'
import { deleteInBatches } from '../storage/retention/bulk-deletion.ts'
import type { RoutePlugin } from './route-plugin.ts'
import { Metadata } from './shapes.ts'

const Query = Type.Object({ metadata: Metadata }, { additionalProperties: false })
const BulkDeleted = Type.Object(
  {
    object: Type.Literal('conversation.bulk_deleted'),
    deleted: Type.Integer({ description: 'How many conversations this call deleted' }),
    has_more: Type.Boolean({ description: 'Whether some may be left, for the next call' })
  },
  { title: 'ConversationsDeleted', description: 'They are deleted.' }
)

/** How long one call deletes; shorter than load balancers and clients wait for an answer. */
const BUDGET_MS = 20_000

/** `DELETE /v1/conversations`: all conversations of the session with these metadata, pinned and running ones too. */
const bulkDelete: RoutePlugin = async (app) => {
  app.delete(
    '/conversations',
    {
      schema: {
        operationId: 'deleteConversations',
        summary: 'Deletes all conversations with these metadata for good',
        tags: ['Conversations'],
        querystring: Query,
        response: { 200: BulkDeleted }
      }
    },
    async ({ query: { metadata }, url, sessionId }) => {
      assertPairs(metadata, url)
      const { conversations, complete } = await deleteInBatches(
        app.store,
        { sessionId, metadata },
        { budgetMs: BUDGET_MS, signal: app.retention.stopping }
      )
      const object = 'conversation.bulk_deleted' as const
      return { object, deleted: conversations, has_more: !complete }
    }
  )
}

export default bulkDelete

/** Refuses a query without a pair, and one that is not exactly what was understood: more would be deleted than was meant. */
function assertPairs(metadata: Record<string, string>, url: string): void {
  const given = [...new URLSearchParams(url.slice(url.indexOf('?')))]
  const understood = Object.entries(metadata)
  const isGiven = ([key, value]: [string, string]) =>
    given.some(([name, text]) => name === `metadata[${key}]` && text === value)
  if (understood.length === 0 || understood.length !== given.length || !understood.every(isGiven))
    throw new ApiError(400, 'invalid_value', "Invalid 'metadata': not a list of pairs.", {
      param: 'metadata'
    })
}
