import { responseOf, sendChat, sendResponse } from '../helper/echo-upstream.ts'
import { delta, sendJson, startSse, type UpstreamScript } from '../helper/upstream.ts'
import { SECRETS, TEXTS } from './canaries.ts'

const answer = `${TEXTS.answer}`
const quoted = { error: { message: `Bad request with Bearer ${SECRETS['upstream key']}`, type: 'x' } }

/** Ways in which an upstream fails, by what a request has as its `user`. Each quotes our key where it can. */
export const FAILINGS: Record<string, UpstreamScript> = {
  ...Object.fromEntries(
    [400, 401, 403, 404, 408, 429, 500, 503].map((status): [string, UpstreamScript] => [
      `answers ${status}`,
      (res) => {
        res.setHeader('x-request-id', `${SECRETS['upstream key']}`)
        sendJson(res, status, quoted)
      }
    ])
  ),
  redirects: (res) => void res.writeHead(302, { location: `/v1/${SECRETS['upstream key']}` }).end(),
  compresses: (res) => void res.writeHead(200, { 'content-encoding': 'gzip' }).end(answer),
  'makes no sense': (res) => void res.writeHead(200).end(answer),
  'says nothing': () => {},
  'breaks off before its headers': (res) => void res.destroy(),
  'breaks off': (res) => {
    startSse(res)
    res.write(delta({ content: answer }))
    setImmediate(() => res.destroy())
  },
  'sends an error event': (res) => {
    startSse(res)
    res.end(`${delta({ content: answer })}data: ${JSON.stringify(quoted)}\n\n`)
  },
  'says that it failed': (res, call) => {
    if (call.url.endsWith('/chat/completions')) return sendJson(res, 500, quoted)
    const response = responseOf('resp_any', answer, { status: 'failed', error: quoted.error })
    sendResponse(res, JSON.parse(call.body), response)
  },
  'stops in the middle': (res) => {
    startSse(res)
    res.write(delta({ content: answer }))
  }
}

/** Answers with a canary, or fails as it is asked to. */
export const canaryUpstream: UpstreamScript = (res, call, req) => {
  const body = call.body ? JSON.parse(call.body) : {}
  const fails = FAILINGS[body.user]
  if (fails) return fails(res, call, req)
  if (call.method === 'GET' || call.url.endsWith('/embeddings'))
    return sendJson(res, 200, { object: 'list', data: [] })
  const id = body.user ?? 'chatcmpl-any'
  if (body.model === 'failing') return sendJson(res, 500, quoted)
  if (call.url.endsWith('/responses')) return sendResponse(res, body, responseOf(id, answer))
  sendChat(res, body, answer, id)
}
