import http from 'node:http'
import type { FuzzRequest } from './requests.ts'

export interface FuzzAnswer {
  status: number
  headers: http.IncomingHttpHeaders
  text: string
}

/** How long an answer may take; what takes longer has hung. */
const PATIENCE_MS = 30_000

/** Sends a request over a connection of `agent` and reads its answer to the end. */
export function send(agent: http.Agent, url: string, request: FuzzRequest): Promise<FuzzAnswer> {
  const { method, path, headers, text, type } = request
  const { hostname, port } = new URL(url)
  const typed = type === undefined ? {} : { 'content-type': type }
  const length = text === undefined ? {} : { 'content-length': String(Buffer.byteLength(text)) }
  return new Promise((resolve, reject) => {
    const all = { ...headers, ...typed, ...length }
    const asked = http.request({ agent, hostname, port, method, path, headers: all }, (res) => {
      let answer = ''
      res.setEncoding('utf8').on('data', (chunk) => {
        answer += chunk
      })
      res.on('end', () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text: answer }))
      res.on('error', reject)
    })
    asked.setTimeout(PATIENCE_MS, () => asked.destroy(new Error('no answer')))
    asked.on('error', reject)
    asked.end(text)
  })
}
