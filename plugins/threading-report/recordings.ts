import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { type TSchema, Type } from 'typebox'
import { Compile } from 'typebox/compile'
import type { JsonObject } from '../../storage/contract.ts'
import { parseJson } from '../../storage/json-value.ts'
import { ArgumentError } from '../../storage/transfer/command-line.ts'

/** A request that somebody made, and what it was answered with. */
export interface Recording {
  /** File and place in it. */
  name: string
  path: '/v1/chat/completions' | '/v1/responses'
  headers: Record<string, string>
  request: JsonObject
  /** The HTTP status of the answer. */
  status: number
  /** A JSON body, or the text of a stream. */
  response: JsonObject | string
}

const Line = Type.Object({
  path: Type.Optional(Type.String()),
  headers: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  request: Type.Object({}),
  status: Type.Optional(Type.Integer({ minimum: 200, maximum: 599 })),
  response: Type.Union([Type.Object({}), Type.String()])
})
const line = Compile(Line)

/** Of an HTTP Archive, version 1.2, what is needed. */
const Archive = Type.Object({
  log: Type.Object({
    entries: Type.Array(
      Type.Object({
        request: Type.Object({
          url: Type.String(),
          headers: Type.Array(Type.Object({ name: Type.String(), value: Type.String() })),
          postData: Type.Optional(Type.Object({ text: Type.Optional(Type.String()) }))
        }),
        response: Type.Object({
          status: Type.Optional(Type.Integer()),
          content: Type.Object({
            text: Type.Optional(Type.String()),
            encoding: Type.Optional(Type.String())
          })
        })
      })
    )
  })
})
const archive = Compile(Archive)

/**
 * The recordings in a folder, file by file: `.jsonl` with one exchange a line, and `.har`. What is no call that is
 * recorded here is left out. Throws `ArgumentError`, which names the file.
 */
export async function readRecordings(folder: string): Promise<Recording[]> {
  const names = await readdir(folder).catch(() => {
    throw new ArgumentError(`cannot read the folder ${folder}`)
  })
  const recordings: Recording[] = []
  for (const name of names.sort()) {
    const read = name.endsWith('.jsonl') ? fromLines : name.endsWith('.har') ? fromArchive : null
    if (!read) continue
    const text = await readFile(path.join(folder, name), 'utf8')
    recordings.push(...read(name, text.replace(/^\uFEFF/, '')))
  }
  if (recordings.length === 0) throw new ArgumentError(`no recorded requests in ${folder}`)
  return recordings
}

function fromLines(name: string, text: string): Recording[] {
  return text.split('\n').flatMap((json, index) => {
    if (json.trim() === '') return []
    const place = `${name}:${index + 1}`
    const value = parseJson(json)
    if (!line.Check(value)) throw new ArgumentError(`${place} is no recording: ${faultOf(line, value)}`)
    const { path: given = '/v1/chat/completions', headers = {}, request, status = 200, response } = value
    const answer = { status, response: response as JsonObject | string }
    return toRecording(place, given, headers, request as JsonObject, answer)
  })
}

function fromArchive(name: string, text: string): Recording[] {
  const value = parseJson(text)
  if (!archive.Check(value)) throw new ArgumentError(`${name} is no HTTP Archive: ${faultOf(archive, value)}`)
  return value.log.entries.flatMap(({ request, response }, index) => {
    const body = parseJson(request.postData?.text ?? '')
    const { text: given = '', encoding } = response.content
    const answer = encoding === 'base64' ? Buffer.from(given, 'base64').toString('utf8') : given
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return []
    const headers = Object.fromEntries(request.headers.map((one) => [one.name.toLowerCase(), one.value]))
    const { pathname } = URL.parse(request.url) ?? {}
    const { status = 200 } = response
    return toRecording(`${name}:${index + 1}`, pathname ?? '', headers, body, { status, response: answer })
  })
}

/** Upstreams have the API under a path of their own. */
const CALL = /\/(chat\/completions|responses)$/

function toRecording(
  name: string,
  given: string,
  headers: Record<string, unknown>,
  request: JsonObject,
  answer: Pick<Recording, 'status' | 'response'>
): Recording[] {
  const call = CALL.exec(given)?.[1] as 'chat/completions' | 'responses' | undefined
  if (!call) return []
  const texts = Object.entries(headers).filter((header) => typeof header[1] === 'string')
  const kept = Object.fromEntries(texts) as Record<string, string>
  return [{ name, path: `/v1/${call}`, headers: kept, request, ...answer }]
}

/** Where the value is not as it must be; its own words are not quoted. */
function faultOf<T extends TSchema>(validator: ReturnType<typeof Compile<T>>, value: unknown): string {
  const [first] = validator.Errors(value)
  if (first?.instancePath === '/response') return '/response must be an object or a text'
  return `${first?.instancePath || 'it'} ${first?.message ?? 'is not of the expected form'}`
}
