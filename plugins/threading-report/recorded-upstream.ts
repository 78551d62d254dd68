import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Recording } from './recordings.ts'

type Answer = Pick<Recording, 'status' | 'response'>

export interface RecordedUpstream {
  /** Up to and including `/v1`. */
  url: string
  /** The answer to the next request. */
  answerWith(answer: Answer): void
  close(): void
}

/** An upstream on a free loopback port that answers as it is told to. */
export async function startRecordedUpstream(): Promise<RecordedUpstream> {
  let current: Answer = { status: 200, response: {} }
  const server = http.createServer((req, res) => {
    req.resume().on('end', () => {
      const { status, response } = current
      const text = typeof response === 'string' ? response : JSON.stringify(response)
      const isStream = /^(data|event|id|:)/.test(text)
      res.writeHead(status, { 'content-type': isStream ? 'text/event-stream' : 'application/json' })
      res.end(text)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/v1`,
    answerWith(answer) {
      current = answer
    },
    close() {
      server.closeAllConnections()
      server.close()
    }
  }
}
