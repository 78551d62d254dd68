import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { ApiError, errorBody } from '../errors.ts'
import { StoreError } from '../storage/store-error.ts'

/** What Fastify's own errors mean to a client. Anything else that it raises below 500 keeps its message. */
const KNOWN: Record<string, [code: string, message: string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [
    'request_too_large',
    "The body is larger than this server's MAX_REQUEST_BYTES."
  ],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'The content-type must be application/json.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid_request', 'The body does not have its content-length.'],
  FST_ERR_BAD_URL: ['invalid_url', 'The URL is not well-formed.'],
  FST_ERR_MAX_PARAM_LENGTH: ['not_found', 'There is nothing here.']
}

/** Turns whatever was thrown into what the client may know of it. */
function toApiError(err: Partial<FastifyError> & Error): ApiError {
  if (err instanceof ApiError) return err
  if (err instanceof StoreError) {
    return new ApiError(503, 'storage_unavailable', 'The store is unavailable.', {
      cause: err,
      headers: { 'retry-after': '1' }
    })
  }
  const [code, message] = KNOWN[err.code ?? ''] ?? []
  const statusCode = err.statusCode ?? 500
  if (statusCode >= 500) return new ApiError(500, 'internal_error', 'Something went wrong.', { cause: err })
  return new ApiError(statusCode, code ?? 'invalid_request', message ?? err.message, { cause: err })
}

export function sendErrorShape(err: Error, request: FastifyRequest, reply: FastifyReply): void {
  const error = toApiError(err)
  if (error.statusCode >= 500) request.log.error({ err: error.cause ?? error }, error.message)
  reply
    .code(error.statusCode)
    .headers(error.headers)
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(errorBody(error.statusCode, error.code, error.message, error.param))
}

/** Every error leaves as OpenAI's `{ error: { message, type, param, code } }`; causes go to the log alone. */
export default fp(
  async (app) => {
    app.setErrorHandler(sendErrorShape)
    app.setNotFoundHandler(() => {
      throw new ApiError(404, 'not_found', 'There is nothing here.')
    })
  },
  { name: 'error-shape' }
)
