import { setTimeout as sleep } from 'node:timers/promises'
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { errorBody } from '../../errors.ts'
import { newId } from '../../storage/ids.ts'
import {
  answerTo,
  commandOf,
  DEMO_MODEL,
  type DemoCommand,
  type DemoRequest,
  newestText,
  piecesOf,
  readDemoRequest,
  usageOf
} from './answers.ts'

const PIECE_INTERVAL_MS = 30
const BODY_LIMIT = 1_073_741_824 // the service in front has its own limit

/** An OpenAI-compatible chat API that answers with canned text. */
export function createDemoServer(): FastifyInstance {
  const app = Fastify({ bodyLimit: BODY_LIMIT, forceCloseConnections: true })
  const model = { id: DEMO_MODEL, object: 'model', created: 0, owned_by: 'turnkeeper' }

  app.setNotFoundHandler((_request, reply) =>
    reply
      .code(404)
      .send(errorBody(404, 'not_found', 'The demo has models and chat completions, nothing else.'))
  )
  app.get('/v1/models', async () => ({ object: 'list', data: [model] }))
  app.get<{ Params: { id: string } }>('/v1/models/:id', async ({ params }, reply) => {
    if (params.id === DEMO_MODEL) return model
    return reply.code(404).send(errorBody(404, 'model_not_found', 'The demo has one model, turnkeeper-demo.'))
  })

  app.post('/v1/chat/completions', async ({ body }, reply) => {
    const request = readDemoRequest(body)
    if (!request) {
      const message = "Missing required parameter: 'messages'."
      return reply.code(400).send(errorBody(400, 'missing_required_parameter', message, 'messages'))
    }
    const command = commandOf(newestText(request))
    if (command?.kind === 'error') {
      const message = `The demo was asked for an error ${command.statusCode}.`
      return reply.code(command.statusCode).send(errorBody(command.statusCode, 'demo_error', message))
    }
    const base = { id: newId('turn').replace('turn_', 'chatcmpl-'), created: Math.floor(Date.now() / 1000) }
    if (request.stream) return stream(reply, request, command, base)
    const answer = answerTo(request)
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

  return app
}

async function stream(
  reply: FastifyReply,
  request: DemoRequest,
  command: DemoCommand | null,
  base: { id: string; created: number }
): Promise<void> {
  reply.hijack()
  const { raw } = reply
  const send = (data: unknown) =>
    raw.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`)
  const chunk = (fields: object) => ({
    ...base,
    object: 'chat.completion.chunk',
    model: DEMO_MODEL,
    ...fields
  })
  const delta = (content: object, finishReason: string | null = null) =>
    send(chunk({ choices: [{ index: 0, delta: content, finish_reason: finishReason }] }))

  raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  delta({ role: 'assistant', content: '' })
  const answer = answerTo(request)
  for (const [count, piece] of piecesOf(answer).entries()) {
    if (raw.destroyed) return
    if (count === 5 && command?.kind === 'cut') return void raw.destroy()
    if (count === 5 && command?.kind === 'stall') return
    delta({ content: piece })
    await sleep(PIECE_INTERVAL_MS)
  }
  delta({}, 'stop')
  if (request.includeUsage) send(chunk({ choices: [], usage: usageOf(request, answer) }))
  send('[DONE]')
  raw.end()
}
