import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'

/** A file of routes whose handlers get their types from the TypeBox schemas. */
export type RoutePlugin<Options extends object = Record<never, never>> = FastifyPluginAsyncTypebox<Options>
