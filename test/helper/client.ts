import type { Test } from 'tap'
import { type ClientOptions, createClient, TurnkeeperError } from '../../client/index.js'
import { type RunningApp, startApp } from './app.ts'
import { type ScriptedUpstream, startUpstream, type UpstreamScript } from './upstream.ts'

export const HI = [{ role: 'user', content: 'Hi' }]

/** A client of a service whose upstream does what `script` says. */
export async function startClient(
  t: Test,
  { script, settings, ...options }: Started = {}
): Promise<RunningApp & { upstream: ScriptedUpstream; client: ReturnType<typeof createClient> }> {
  const upstream = await startUpstream(t, script)
  const running = await startApp(t, { OPENAI_BASE_URL: upstream.url, ...settings })
  return { ...running, upstream, client: createClient({ baseUrl: `${running.url}/v1`, ...options }) }
}

interface Started extends ClientOptions {
  script?: UpstreamScript
  settings?: Record<string, string>
}

/** All that an iteration gives. */
export async function allOf<T>(entries: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = []
  for await (const entry of entries) seen.push(entry)
  return seen
}

/** Holds that `act` rejects with a `TurnkeeperError` that has these fields, and gives it. */
export async function failsWith(
  t: Test,
  act: Promise<unknown>,
  expected: Partial<TurnkeeperError>,
  title = `it fails with ${expected.code}`
): Promise<TurnkeeperError> {
  const error = await act.then(
    () => null,
    (thrown: unknown) => thrown
  )
  if (!(error instanceof TurnkeeperError)) throw error ?? new Error(`${title}: it did not fail`)
  t.match(error, { name: 'TurnkeeperError', ...expected }, title)
  return error
}
