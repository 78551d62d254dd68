import Fastify, { type FastifyInstance } from 'fastify'
import { errorBody } from '../../errors.ts'
import { newId } from '../../storage/ids.ts'
import {
  answerTo,
  commandOf,
  DEMO_MODEL,
  type DemoCommand,
  type DemoRequest,
  newestText,
  readDemoRequest,
  usageOf
} from './answers.ts'
import { readResponsesRequest, responseOf, streamedResponse } from './responses.ts'
import { streamPieces } from './stream.ts'

const BODY_LIMIT = 1_073_741_824 // the service in front has its own limit

/** An OpenAI-compatible API that answers with canned text. */
export function createDemoServer(): FastifyInstance {
  const app = Fastify({ bodyLimit: BODY_LIMIT, forceCloseConnections: true })
  const model = { id: DEMO_MODEL, object: 'model', created: 0, owned_by: 'turnkeeper' }

  app.setNotFoundHandler((_request, reply) =>
    reply
      .code(404)
      .send(errorBody(404, 'not_found', 'The demo has models, chat completions and responses, nothing else.'))
  )
  app.get('/v1/models', async () => ({ object: 'list', data: [model] }))
  app.get<{ Params: { id: string } }>('/v1/models/:id', async ({ params }, reply) => {
    if (params.id === DEMO_MODEL) return model
    return reply.code(404).send(errorBody(404, 'model_not_found', 'The demo has one model, turnkeeper-demo.'))
  })

  app.post('/v1/chat/completions', async ({ body }, reply) => {
    const request = readDemoRequest(body)
    if (!request) return reply.code(400).send(missing('messages'))
    const command = commandOf(newestText(request))
    if (command?.kind === 'error') return reply.code(command.statusCode).send(askedFor(command))
    const base = { id: newId('turn').replace('turn_', 'chatcmpl-'), created: Math.floor(Date.now() / 1000) }
    const answer = answerTo(request)
    if (request.stream) return streamPieces(reply, command, chatStream(request, answer, base))
    return {
      ...base,
      object: 'chat.completion',
      model: DEMO_MODEL,
      choices: [
        { index: 0, message: { role: 'assistant', content: answer, refusal: null }, finish_reason: 'stop' }
      ],
      usage: usageOf(request, answer)
    }
  })

  app.post('/v1/responses', async ({ body }, reply) => {
    const request = readResponsesRequest(body)
    if (!request) return reply.code(400).send(missing('input'))
    const command = commandOf(newestText(request))
    if (command?.kind === 'error') return reply.code(command.statusCode).send(askedFor(command))
    const answer = answerTo(request)
    if (request.stream) return streamPieces(reply, command, streamedResponse(request, answer))
    return responseOf(request, answer)
  })

  return app
}

function chatStream(request: DemoRequest, answer: string, base: { id: string; created: number }) {
  const chunk = (fields: object) => {
    const event = { ...base, object: 'chat.completion.chunk', model: DEMO_MODEL, ...fields }
    return `data: ${JSON.stringify(event)}\n\n`
  }
  const delta = (content: object, finishReason: string | null = null) =>
    chunk({ choices: [{ index: 0, delta: content, finish_reason: finishReason }] })
  const usage = request.includeUsage ? chunk({ choices: [], usage: usageOf(request, answer) }) : ''
  return {
    answer,
    start: delta({ role: 'assistant', content: '' }),
    piece: (content: string) => delta({ content }),
    end: `${delta({}, 'stop')}${usage}data: [DONE]\n\n`
  }
}

function missing(param: string) {
  return errorBody(400, 'missing_required_parameter', `Missing required parameter: '${param}'.`, param)
}

function askedFor({ statusCode }: DemoCommand & { kind: 'error' }) {
  return errorBody(statusCode, 'demo_error', `The demo was asked for an error ${statusCode}.`)
}
