import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  type Tracer,
  trace
} from '@opentelemetry/api'
import type { FastifyInstance } from 'fastify'

const CONTEXT = 'traceContext'

/** One span a request, until its last byte is out or its client has left; it goes on where `traceparent` began. */
export function traceRequests(app: FastifyInstance, tracer: Tracer): void {
  app.decorateRequest(CONTEXT)

  app.addHook('onRequest', (request, reply, done) => {
    const { traceparent } = request.headers
    const parent = propagation.extract(ROOT_CONTEXT, { traceparent })
    const { url } = request.routeOptions
    const attributes = {
      'http.request.method': request.method,
      ...(url !== undefined && { 'http.route': url })
    }
    const name = url === undefined ? request.method : `${request.method} ${url}`
    const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent)
    reply.raw.once('close', () => {
      const { statusCode, writableFinished } = reply.raw
      span.setAttribute('http.response.status_code', statusCode)
      if (!writableFinished) span.setAttribute('error.type', 'aborted')
      if (statusCode >= 500) span.setStatus({ code: 2 })
      span.end()
    })
    const own = trace.setSpan(parent, span)
    request.setDecorator<Context>(CONTEXT, own)
    context.with(own, done)
  })

  // Reading the body leaves the context that the hooks before it ran in.
  app.addHook('preValidation', (request, _reply, done) => {
    context.with(request.getDecorator<Context>(CONTEXT), done)
  })
}
