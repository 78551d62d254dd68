import OpenAI from 'openai'
import type { Test } from 'tap'
import type { RunningApp } from './app.ts'
import { startApp } from './app.ts'
import { startUpstream, type UpstreamCallRecord, type UpstreamScript } from './upstream.ts'

export type TurnRow = Awaited<ReturnType<RunningApp['turnsOf']>>[number]

export interface Outcome extends RunningApp {
  status: number
  headers: Headers
  /** Everything the client got. */
  text: string
  /** The row, once it has ended. */
  turn: TurnRow
  calls: UpstreamCallRecord[]
  call: UpstreamCallRecord
}

interface ExchangeOptions {
  body?: object
  headers?: Record<string, string>
  settings?: Record<string, string>
}

/** One chat from its question to its end, against an upstream that follows `script`. */
export async function exchange(
  t: Test,
  script: UpstreamScript,
  { body, headers, settings }: ExchangeOptions = {}
): Promise<Outcome> {
  const upstream = await startUpstream(t, script)
  const running = await startApp(t, { OPENAI_BASE_URL: upstream.url, DRAIN_TIMEOUT_MS: '0', ...settings })
  const res = await running.chat(body, headers)
  const text = await res.text()
  const turn = await running.endedTurn(res)
  const { calls } = upstream
  return {
    ...running,
    status: res.status,
    headers: res.headers,
    text,
    turn,
    calls,
    call: calls[0] as UpstreamCallRecord
  }
}

/** Waits for `promise`, but no longer than `ms`: what takes longer never came. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms)
  })
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** Asks until `probe` says yes; for states that send no event. */
export async function eventually(what: string, probe: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!(await probe())) {
    if (performance.now() > deadline) throw new Error(`never came true: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** The turn that `running` has recorded, for clients that left before they were told its name. */
export async function onlyTurn({ url, turnsOf }: RunningApp): Promise<TurnRow> {
  const turns: TurnRow[] = []
  await eventually('one ended turn', async () => {
    const res = await fetch(`${url}/v1/conversations`)
    const { data } = (await res.json()) as { data: { id: string }[] }
    turns.length = 0
    for (const { id } of data) turns.push(...(await turnsOf(id)))
    return turns.length === 1 && turns[0]?.status !== 'in_progress'
  })
  return turns[0] as TurnRow
}

/** Holds that `json` is OpenAI's error object, with all of its four fields and no other. */
export function isErrorBody(t: Test, json: string, code: string, type = 'server_error'): void {
  const body = JSON.parse(json) as { error: { message: string } }
  t.match(body.error.message, /^[A-Z].+\.$/, 'the message is a sentence')
  t.strictSame(body, { error: { message: body.error.message, type, param: null, code } })
}

/** Holds that a stream was `passedOn` as it came and then ended in our error event, with no end mark. */
export function endsInErrorEvent(t: Test, text: string, passedOn: string, code: string): void {
  t.equal(text.slice(0, passedOn.length), passedOn, 'what had come was passed on')
  const event = text.slice(passedOn.length)
  t.match(event, /^data: \{"error":.*\}\n\n$/, 'one event follows')
  t.notMatch(text, '[DONE]')
  isErrorBody(t, event.slice('data: '.length), code)
}

/** A promise to be kept by hand, for scripts that wait for the test. */
export function gate(): { open: () => void; opened: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { open: resolve, opened: promise }
}

/** Holds that the official SDK, streaming one chat to its end, throws the error with this code. */
export async function sdkThrows(t: Test, url: string, code: string): Promise<void> {
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 })
  const messages = [{ role: 'user' as const, content: 'Hi' }]
  let thrown: unknown = null
  try {
    const stream = await openai.chat.completions.create({ model: 'm', stream: true, messages })
    for await (const _ of stream) {
      // what counts is how it ends
    }
  } catch (err) {
    thrown = err
  }
  t.ok(thrown instanceof OpenAI.APIError && thrown.code === code, `the SDK throws ${code}`)
}
