import type { FastifySchema } from 'fastify'
import fp from 'fastify-plugin'
import { type Config, isLoopback } from '../../config.ts'
import { ApiError } from '../../errors.ts'
import type { ApiKeys } from '../../storage/contract.ts'
import { identifyByHeader } from './header.ts'
import type { Identify } from './identify.ts'
import { identifyByJwt, type JwtSettings } from './jwt.ts'
import { identifyByKey } from './key.ts'
import { identifyLocally } from './local.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The owner of this request's conversations. */
    sessionId: string
  }
}

export interface IdentityOptions {
  config: Pick<Config, 'AUTH' | 'HOST'> & JwtSettings
  /** Browser origins that may call. */
  allowedOrigins: string[]
}

/**
 * Resolves the session of every request in the scope it is registered in, also of those that no route is there for;
 * decorates `sessionId`.
 */
export default fp<IdentityOptions>(
  async (app, options) => {
    const identify = wayOf(options, app.store.keys)
    app.decorateRequest('sessionId', '')
    app.addHook('onRequest', async (request) => {
      request.sessionId = await identify(request)
    })

    // The scope's own, so that its hooks come first: nobody learns without a session which routes there are.
    app.setNotFoundHandler(nothingHere)
    // The plugin for CORS has an OPTIONS route outside of the scope, for what it did not answer itself.
    const schema: FastifySchema & { hide: boolean } = { hide: true } // no part of the API
    for (const path of ['', '/*']) app.options(path, { schema }, nothingHere)
  },
  { name: 'identity', dependencies: ['storage'] }
)

function wayOf({ config, allowedOrigins }: IdentityOptions, keys: ApiKeys): Identify {
  const ways: Record<Config['AUTH'], () => Identify> = {
    none: () => identifyLocally({ loopbackOnly: isLoopback(config.HOST), allowedOrigins }),
    header: () => identifyByHeader,
    key: () => identifyByKey(keys),
    jwt: () => identifyByJwt(config)
  }
  return ways[config.AUTH]()
}

function nothingHere(): never {
  throw new ApiError(404, 'not_found', 'There is nothing here.')
}
