import type { ServerResponse } from 'node:http'
import { sendJson, type UpstreamCallRecord, type UpstreamScript } from '../../helper/upstream.ts'
import { chatAnswer } from './model-chat.ts'
import { responseAnswer } from './model-responses.ts'
import { faultsOf } from './well-formed.ts'

/** What a model says once, whichever API it is asked through. */
export interface Answer {
  text?: string
  reasoning?: string
  refusal?: string
  calls?: { id: string; name: string; arguments: string }[]
  /** The answer's id; Ollama gives every answer of a day the same. By default one of its own. */
  id?: string
  /** False for upstreams that never tell. */
  usage?: boolean
  /** Stays silent after its first words until the client has left. */
  endless?: boolean
}

export type JsonBody = Record<string, unknown>

/** An upstream that plays `answers` one after the other, and refuses what OpenAI would refuse. */
export function model(faults: string[], ...answers: Answer[]): UpstreamScript {
  let played = 0
  return async (res: ServerResponse, call: UpstreamCallRecord) => {
    const body = JSON.parse(call.body) as JsonBody
    const wrong = faultsOf(call.url, body)
    const answer = answers[played]
    if (answer === undefined) wrong.push(`call ${played + 1} was not expected`)
    played += 1
    faults.push(...wrong)
    if (wrong.length > 0 || !answer) {
      const message = wrong.join('; ')
      return sendJson(res, 400, {
        error: { message, type: 'invalid_request_error', param: null, code: null }
      })
    }
    const play = call.url === '/v1/responses' ? responseAnswer : chatAnswer
    play(res, body, answer, answer.id ?? `${played}-${process.hrtime.bigint()}`)
  }
}

/** `text` in pieces, as models send it. */
export function pieces(text: string): string[] {
  return text.match(/.{1,5}/gsu) ?? []
}

const WEATHER_CALL = { name: 'weather', arguments: '{"city":"Oslo"}' }

/** A model that asks for the weather before it answers. */
export const TOOL_ROUND: Answer[] = [
  { calls: [{ id: 'call_oslo', ...WEATHER_CALL }] },
  { text: 'Seven degrees in Oslo.' }
]

/** What is stored of it, as `describe` says it. */
export const TOOL_ITEMS = [
  'user: Weather?',
  'call: weather {"city":"Oslo"}',
  'result: 7 °C',
  'assistant: Seven degrees in Oslo.'
]

/** The same of a model that thinks before it calls. */
export const THINKING_ROUND: Answer[] = TOOL_ROUND.map((answer) => ({ reasoning: 'Let me see.', ...answer }))

/** Two calls at once, and the answer to both. */
export const PARALLEL_ROUND: Answer[] = [
  {
    calls: [
      { id: 'call_oslo', ...WEATHER_CALL },
      { id: 'call_rome', name: 'weather', arguments: '{"city":"Rome"}' }
    ]
  },
  { text: 'Seven in Oslo, thirty in Rome.' }
]

/** The tool that the clients run. */
export function weather({ city }: { city: string }): string {
  return city === 'Oslo' ? '7 °C' : '30 °C'
}
