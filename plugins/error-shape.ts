import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Type } from 'typebox'
import { ApiError, conversationLocked, errorBody } from '../errors.ts'
import { StoreError } from '../storage/store-error.ts'
import { restOfBody } from './rest-of-body.ts'
import { SECURITY_HEADERS } from './security-headers.ts'

/** The error body, for the API's description. */
export const ErrorView = Type.Object(
  {
    error: Type.Object({
      message: Type.String(),
      type: Type.String(),
      param: Type.Union([Type.String(), Type.Null()]),
      code: Type.Union([Type.String(), Type.Null()])
    })
  },
  { title: 'Error', description: "Any error; one of the upstream's own comes with its status and body." }
)

/** What Fastify's own errors mean to a client. Anything else that it raises below 500 keeps its message. */
const KNOWN: Record<string, [statusCode: number, code: string, message: string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [
    413,
    'request_too_large',
    "The body is larger than this server's MAX_REQUEST_BYTES."
  ],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    415,
    'unsupported_media_type',
    'The content-type must be application/json.'
  ],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [400, 'invalid_request', 'The body does not have its content-length.'],
  FST_ERR_BAD_URL: [400, 'invalid_url', 'The URL is not well-formed.'],
  FST_ERR_MAX_PARAM_LENGTH: [404, 'not_found', 'There is nothing here.']
}

/** Turns whatever was thrown into what the client may know of it. */
function toApiError(err: Partial<FastifyError> & Error): ApiError {
  if (err instanceof ApiError) return err
  if (err instanceof StoreError && err.code === 'CONVERSATION_BUSY') return conversationLocked()
  if (err instanceof StoreError && err.code === 'CONVERSATION_FULL') {
    const message = 'The conversation has as many turns as this server allows (MAX_TURNS_PER_CONVERSATION).'
    return new ApiError(400, 'conversation_full', message)
  }
  if (err instanceof StoreError && err.code === 'SESSION_FULL') {
    const message = 'There are as many conversations as this server allows (MAX_CONVERSATIONS_PER_SESSION).'
    return new ApiError(400, 'too_many_conversations', message)
  }
  if (err instanceof StoreError) {
    return new ApiError(503, 'storage_unavailable', 'The store is unavailable.', {
      cause: err,
      headers: { 'retry-after': '1' }
    })
  }
  const known = KNOWN[err.code ?? '']
  if (known) return new ApiError(...known, { cause: err })
  const statusCode = err.statusCode ?? 500
  if (statusCode >= 500) return new ApiError(500, 'internal_error', 'Something went wrong.', { cause: err })
  return new ApiError(statusCode, 'invalid_request', err.message, { cause: err })
}

export async function sendErrorShape(
  err: Error,
  request: FastifyRequest,
  reply: FastifyReply
): Promise<void> {
  const error = toApiError(err)
  request.errorCode = error.code
  if (error.statusCode === 413) await restOfBody(request.raw)
  if (error.statusCode >= 500 && error.cause) request.log.error({ err: error.cause }, error.message)
  reply
    .code(error.statusCode)
    .headers({ ...SECURITY_HEADERS, ...error.headers })
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(errorBody(error.statusCode, error.code, error.message, error.param))
}

/** How long a client that cannot be read may take to read what it is told and to hang up. */
const LINGER_MS = 2_000
const UNREADABLE: Record<string, number> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }

/** Answers what cannot be read as HTTP, for which there is no request. */
export function refuseMalformed(err: NodeJS.ErrnoException, socket: Socket): void {
  if (err.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  const statusCode = UNREADABLE[err.code ?? ''] ?? 400
  const body = JSON.stringify(errorBody(statusCode, 'invalid_request', 'The request is not readable HTTP.'))
  const headers = {
    ...SECURITY_HEADERS,
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close'
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode]}\r\n${lines.join('')}\r\n${body}`)
  // Node's timeouts are for requests, and this is none any more: who does not hang up would be kept for ever.
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(timer))
}

/** Every error leaves as OpenAI's `{ error: { message, type, param, code } }`; causes go to the log alone. */
export default fp(
  async (app) => {
    app.setErrorHandler(sendErrorShape)
    app.setNotFoundHandler(nothingHere)
    // After every `onRequest`, so that who must say who calls is asked first; before the body is read: nobody is known
    // outside of `/v1`, and a body that nothing will read is not to be kept or parsed.
    app.addHook('preParsing', async (request) => {
      if (request.is404 || request.method === 'OPTIONS') nothingHere()
    })
  },
  { name: 'error-shape' }
)

function nothingHere(): never {
  throw new ApiError(404, 'not_found', 'There is nothing here.')
}
