import { ApiError } from '../errors.ts'
import { createOpaqueAnswer } from '../plugins/proxy/opaque-answer.ts'
import type { RoutePlugin } from './route-plugin.ts'
import { UpstreamView, verbatim } from './shapes.ts'

/** Embeddings of as many inputs as OpenAI takes at once, 2,048, are larger than any text. */
const MAX_BYTES = 134_217_728

/** Calls that are the upstream's alone: `/v1/models`, `/v1/models/{id}`, `/v1/embeddings`. Nothing is recorded. */
const passedThrough: RoutePlugin = async (app) => {
  const unrecorded = (request: { method: 'GET' | 'POST'; path: string; body?: Buffer }) => ({
    begin: async () => ({ turn: null, match: null, request }),
    reader: createOpaqueAnswer(),
    onDisconnect: 'abort' as const,
    maxBytes: MAX_BYTES
  })

  const describe = (operationId: string, summary: string) => ({
    serializerCompiler: verbatim,
    schema: { operationId, summary, tags: ['Models'], response: { 200: UpstreamView } }
  })

  // A model's id may hold slashes.
  const models = [
    ['/models', describe('listModels', "The upstream's models")],
    ['/models/*', describe('getModel', "One of the upstream's models")]
  ] as const
  for (const [url, options] of models) {
    app.get(url, options, async (request, reply) => {
      const path = pathBelowModels(request.url, request.params as { '*'?: string })
      await app.relay(reply, unrecorded({ method: 'GET', path }))
    })
  }

  const embeddings = describe('createEmbedding', "The upstream's embeddings")
  app.post('/embeddings', { ...embeddings, config: { opaqueBody: true } }, async (request, reply) => {
    const body = request.rawBody ?? Buffer.alloc(0)
    await app.relay(reply, unrecorded({ method: 'POST', path: '/embeddings', body }))
  })
}

export default passedThrough

/** The path for the upstream. No spelling of `..` may lead to another part of it, where our key would open it. */
function pathBelowModels(url: string, { '*': id = '' }: { '*'?: string }): string {
  // `..;x` is `..` to Java servers; control characters and blanks around it are cut off by others.
  const strays =
    /[\\%?#;\p{Cc}]/u.test(id) ||
    id.split('/').some((segment) => segment.trim() === '.' || segment.trim() === '..')
  if (strays || url.includes('#') || !url.startsWith('/v1/models')) {
    throw new ApiError(404, 'not_found', 'There is nothing here.')
  }
  return url.slice('/v1'.length)
}
