import diagnostics from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import type { Reply, RequestOptions } from '../helper/request.ts'
import { PROBES, type Probe, WITHOUT_NAMES } from './probes.ts'
import { indexed, snapshot } from './snapshot.ts'
import { type Call, deleteThings, makeThings, type Names, startWorld, unmade } from './world.ts'

/** Whose the names are that a request carries. `removed` was the other session's, `deleted` the asking one's. */
type Kind = 'foreign' | 'unknown' | 'deleted' | 'removed'

const TAGS: Record<Kind, string> = {
  foreign: 'tagzfor',
  unknown: 'tagzunk',
  deleted: 'tagzdel',
  removed: 'tagzrem'
}
const OWN = 'tagzown'
const LATER = 'tagzlat'

/**
 * Asks every route of the service, with every name that it takes, for what another session has, for what never was,
 * and for what was deleted. All answers must be the same, nothing may change, and no upstream may be called.
 */
export async function isolationMatrix(t: Test, driver: string, auth: string): Promise<void> {
  const routes = collectRoutes(t)
  const world = await startWorld(t, driver, auth)
  const { app, upstream } = world
  const asking = await world.clientOf('asking')
  const other = await world.clientOf('other')
  const isAlone = auth === 'none'

  const own = await makeThings(asking, OWN)
  const seen = await everythingOf(asking, own)
  const names = new Map<Kind, Names>([['unknown', unmade(TAGS.unknown)]])
  names.set('deleted', await makeThings(asking, TAGS.deleted))
  await deleteThings(asking, names.get('deleted') as Names)
  if (!isAlone) {
    names.set('removed', await makeThings(other, TAGS.removed))
    await deleteThings(other, names.get('removed') as Names)
    names.set('foreign', await makeThings(other, TAGS.foreign))
    await makeThings(other, OWN) // the same texts, keys and upstream ids as the asking session has
    t.strictSame(await everythingOf(asking, own), seen, 'what a session sees does not depend on others')
  }
  await makeThings(asking, LATER)

  const state = async () => [
    await snapshot(app.store),
    isAlone ? null : await indexed(app.store, 'other', [TAGS.foreign])
  ]
  let cells = 0
  let before = await state()
  for (const [route, probes] of Object.entries(PROBES)) {
    if (!routes.has(route)) continue
    for (const probe of [...probes, ...probes.flatMap(asHead)]) {
      const title = `${probe.method} ${route.replace(/^\w+ /, '')}: ${probe.carrier}`
      const answers: [Kind, string][] = []
      for (const [kind, named] of names) {
        cells += 1
        const calls = upstream.calls.length
        const options = { method: probe.method, ...probe.request(named, own) }
        const reply = await asking(options.path, options)
        const made = await madeBy(reply)
        for (const id of made) await asking(`/v1/conversations/${id}`, { method: 'DELETE' })
        assertExpected(t, probe, reply, upstream.calls.length - calls, `${title} (${kind})`)
        const sent = upstream.calls
          .slice(calls)
          .map(({ body }) => body)
          .join()
        if (kind === 'foreign' && leaks(options, reply.text + sent, named)) t.fail(`${title}: tells of it`)
        answers.push([kind, normal(reply, options, named, made)])
      }
      const [[, first] = ['', '']] = answers
      for (const [kind, answer] of answers) t.equal(answer, first, `${title}: ${kind} is as unknown`)
      const after = await state()
      t.strictSame(after, before, `${title}: nothing has changed`)
      before = after
    }
  }

  const unprobed = [...routes].filter((route) => !PROBES[route.replace(/^HEAD /, 'GET ')])
  t.strictSame(
    unprobed.filter((route) => !WITHOUT_NAMES.test(route)),
    [],
    'every route is probed'
  )
  if (!isAlone) await stillKnown(t, other, names.get('foreign') as Names)
  t.comment(`${driver}, AUTH=${auth}: ${cells} cells`)

  /** Conversations that the reply announces, and that nobody had before. */
  async function madeBy(reply: Reply): Promise<string[]> {
    const known = before[0] as Map<string, unknown>
    const announced = [reply.headers.get('x-conversation-id'), reply.json?.id]
    return announced.filter((id) => typeof id === 'string' && id.startsWith('conv_') && !known.has(id))
  }
}

/** Hears of every route of the apps that start until the test ends. */
function collectRoutes(t: Test): Set<string> {
  const routes = new Set<string>()
  const listen = (message: unknown) =>
    (message as { fastify: FastifyInstance }).fastify.addHook('onRoute', ({ method, url }) => {
      for (const name of [method].flat()) routes.add(`${name} ${url}`)
    })
  diagnostics.subscribe('fastify.initialization', listen)
  t.teardown(() => diagnostics.unsubscribe('fastify.initialization', listen))
  return routes
}

function asHead(probe: Probe): Probe[] {
  return probe.method === 'GET' && probe.expect !== 'served' ? [{ ...probe, method: 'HEAD' }] : []
}

function assertExpected(t: Test, { expect }: Probe, reply: Reply, calls: number, title: string): void {
  const { status } = reply
  if (expect === 'refused') t.ok(status === 400 || status === 404, `${title}: refused (${status})`)
  if (expect === 'shown') t.equal(status, 200, `${title}: shown`)
  if (expect !== 'served') t.equal(calls, 0, `${title}: no upstream call`)
  else t.notOk(reply.headers.get('idempotent-replayed'), `${title}: not replayed`)
}

/** Whether texts or ids are told that the request did not have itself. */
function leaks(options: RequestOptions, told: string, named: Names): boolean {
  const asked = JSON.stringify(options)
  const secrets = [...stringsOf(named), ...named.conversations]
  return secrets.some((secret) => told.includes(secret) && !asked.includes(secret))
}

const stringsOf = (named: Names): string[] => Object.values(named).filter((name) => typeof name === 'string')

/** What a client can tell apart of an answer: not what it has sent itself, nor its own new ids, nor the time. */
function normal(reply: Reply, options: RequestOptions, named: Names, made: string[]): string {
  const headers = [...reply.headers].filter(([name]) => !VARYING.test(name))
  let answer = JSON.stringify([reply.status, headers, reply.text])
  const asked = JSON.stringify(options)
  // The longest first: some hold others.
  for (const name of stringsOf(named).sort((a, b) => b.length - a.length))
    if (asked.includes(name)) answer = answer.replaceAll(name, '<asked>')
  for (const id of made) answer = answer.replaceAll(id, '<made>')
  if (made.length > 0 || /idempotency|stainless/.test(asked))
    answer = answer.replaceAll(/turn_[0-9a-f]{32}/g, '<turn>').replaceAll(/_at\\":\d+/g, '_at\\":0')
  return answer
}

const VARYING = /^(date|connection|keep-alive|x-request-id|x-ratelimit-.*|retry-after)$/

/** All that a session can see of its own. */
async function everythingOf(call: Call, own: Names): Promise<string[]> {
  const paths = [
    '/conversations',
    '/conversations?q=tagzown',
    `/conversations?metadata[owner]=${OWN}`,
    `/conversations/${own.conversation}`,
    `/conversations/${own.conversation}/items`,
    `/conversations/${own.conversation}/items/${own.item}`,
    `/conversations/${own.conversation}/turns`,
    '/chat/completions',
    `/chat/completions?metadata[owner]=${OWN}`,
    `/chat/completions/${own.completion}`,
    `/chat/completions/${own.completion}/messages`,
    `/responses/${own.response}`,
    `/responses/${own.response}/input_items`
  ]
  const replies = await Promise.all(paths.map((path) => call(`/v1${path}`)))
  const { json: stats } = await call('/v1/stats')
  return [
    ...replies.map(({ status, text }) => `${status} ${text}`),
    JSON.stringify(stats.days.filter(({ turns }: { turns: number }) => turns > 0))
  ]
}

/** What no view shows: the other session's key is still its own, and so is the attempt that failed. */
async function stillKnown(t: Test, other: Call, { key, keyedBody, failedBody, conversations }: Names) {
  const headers = { 'idempotency-key': key }
  const replayed = await other('/v1/chat/completions', { body: keyedBody, headers })
  t.equal(replayed.headers.get('idempotent-replayed'), 'true', 'the other session is replayed its answer')
  t.equal(replayed.headers.get('x-conversation-id'), conversations[1])
  const retried = await other('/v1/chat/completions', {
    body: failedBody,
    headers: { 'x-stainless-retry-count': '1' }
  })
  t.equal(retried.headers.get('x-conversation-id'), conversations[2], 'and tries its failed request again')
}
