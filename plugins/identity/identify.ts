import type { FastifyRequest } from 'fastify'

/** The session that a request belongs to. Throws, or rejects with, `ApiError` when it belongs to none. */
export type Identify = (request: FastifyRequest) => string | Promise<string>
