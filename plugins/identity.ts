import fp from 'fastify-plugin'
import { type Config, isLoopback } from '../config.ts'
import { ApiError } from '../errors.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The owner of this request's conversations. */
    sessionId: string
  }
}

const LOCAL_SESSION = 'local'
const SESSION_ID = /^[\x21-\x7e]{1,256}$/

/** Resolves the session of every request in the scope it is registered in; decorates `sessionId`. */
export default fp<{ auth: Config['AUTH'] }>(
  async (app, { auth }) => {
    app.decorateRequest('sessionId', '')
    app.addHook('onRequest', async (request) => {
      if (auth === 'none') assertLocal(request.headers.host)
      request.sessionId = auth === 'none' ? LOCAL_SESSION : sessionFrom(request.headers['x-session-id'])
    })
  },
  { name: 'identity' }
)

/** A page of another name that has been made to resolve to this machine (DNS rebinding) must not read the history. */
function assertLocal(host = ''): void {
  if (isLoopback(host.replace(/:\d*$/, '').replace(/^\[|\]$/g, ''))) return
  throw new ApiError(
    403,
    'forbidden_host',
    'With AUTH=none this server answers to its loopback names alone.',
    {
      param: 'host'
    }
  )
}

function sessionFrom(header: string | string[] | undefined): string {
  if (typeof header === 'string' && SESSION_ID.test(header)) return header
  const message = header ? 'x-session-id must be 1 to 256 visible characters.' : 'x-session-id is missing.'
  throw new ApiError(401, 'session_required', message, { param: 'x-session-id' })
}
