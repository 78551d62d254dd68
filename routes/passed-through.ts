import { ApiError } from '../errors.ts'
import { createOpaqueAnswer } from '../plugins/proxy/opaque-answer.ts'
import type { RoutePlugin } from './route-plugin.ts'

/** Calls that are the upstream's alone: `/v1/models`, `/v1/models/{id}`, `/v1/embeddings`. Nothing is recorded. */
const passedThrough: RoutePlugin = async (app) => {
  const unrecorded = () => ({
    begin: async () => null,
    reader: createOpaqueAnswer(),
    onDisconnect: 'abort' as const
  })

  // A model's id may hold slashes.
  for (const url of ['/models', '/models/*']) {
    app.get(url, async (request, reply) => {
      const path = request.url.slice(request.url.indexOf('/models'))
      assertBelowModels(request.params as { '*'?: string })
      await app.relay(reply, { request: { method: 'GET', path }, ...unrecorded() })
    })
  }

  app.post('/embeddings', async (request, reply) => {
    const body = request.rawBody ?? Buffer.alloc(0)
    await app.relay(reply, { request: { method: 'POST', path: '/embeddings', body }, ...unrecorded() })
  })
}

export default passedThrough

/** No spelling of `..` may lead to another part of the upstream, where our key would open it. */
function assertBelowModels({ '*': id }: { '*'?: string }): void {
  if (id === undefined) return
  if (/[\\%?#]/.test(id) || id.split('/').some((segment) => segment === '.' || segment === '..')) {
    throw new ApiError(404, 'not_found', 'There is nothing here.')
  }
}
