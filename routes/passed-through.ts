import { ApiError } from '../errors.ts'
import { createOpaqueAnswer } from '../plugins/proxy/opaque-answer.ts'
import type { RoutePlugin } from './route-plugin.ts'

/** Calls that are the upstream's alone: `/v1/models`, `/v1/models/{id}`, `/v1/embeddings`. Nothing is recorded. */
const passedThrough: RoutePlugin = async (app) => {
  const unrecorded = (request: { method: 'GET' | 'POST'; path: string; body?: Buffer }) => ({
    begin: async () => ({ turn: null, request }),
    reader: createOpaqueAnswer(),
    onDisconnect: 'abort' as const
  })

  // A model's id may hold slashes.
  for (const url of ['/models', '/models/*']) {
    app.get(url, async (request, reply) => {
      const path = pathBelowModels(request.url, request.params as { '*'?: string })
      await app.relay(reply, unrecorded({ method: 'GET', path }))
    })
  }

  app.post('/embeddings', async (request, reply) => {
    const body = request.rawBody ?? Buffer.alloc(0)
    await app.relay(reply, unrecorded({ method: 'POST', path: '/embeddings', body }))
  })
}

export default passedThrough

/** The path for the upstream. No spelling of `..` may lead to another part of it, where our key would open it. */
function pathBelowModels(url: string, { '*': id = '' }: { '*'?: string }): string {
  const strays = /[\\%?#]/.test(id) || id.split('/').some((segment) => segment === '.' || segment === '..')
  if (strays || url.includes('#') || !url.startsWith('/v1/models')) {
    throw new ApiError(404, 'not_found', 'There is nothing here.')
  }
  return url.slice('/v1'.length)
}
