import { type Static, Type } from 'typebox'
import type { TurnCount } from '../storage/contract.ts'
import { DAY_MS, startOfDay } from '../storage/turn-counts.ts'
import type { RoutePlugin } from './route-plugin.ts'
import { TurnView } from './shapes.ts'

const Query = Type.Object(
  { days: Type.Integer({ minimum: 1, maximum: 366, default: 30 }) },
  { additionalProperties: false }
)
const { status, error } = TurnView.properties
const Ending = Type.Object(
  { status, error, turns: Type.Integer() },
  { title: 'StatsEnding', description: 'Turns of one day that ended in one way, or run.' }
)
const Day = Type.Object(
  {
    date: Type.String({ description: 'The day in UTC, such as `2026-11-28`' }),
    turns: Type.Integer({ description: 'How many turns began on it' }),
    endings: Type.Array(Ending)
  },
  { title: 'StatsDay', description: 'The turns of one day.' }
)
export const StatsView = Type.Object(
  {
    object: Type.Literal('stats'),
    days: Type.Array(Day, { description: 'Every day, oldest first; today is the last' })
  },
  { title: 'Stats', description: 'How many turns there were, day by day.' }
)

/** `/v1/stats`: how many turns the session had, day by day. */
const stats: RoutePlugin = async (app) => {
  app.get(
    '/stats',
    {
      schema: {
        operationId: 'getStats',
        summary: 'How many turns there were per day, and how they ended',
        tags: ['Conversations'],
        querystring: Query,
        response: { 200: StatsView }
      }
    },
    async ({ query, sessionId }) => {
      const today = startOfDay(Date.now())
      const first = today - (query.days - 1) * DAY_MS
      const byDay = Map.groupBy(await app.store.countTurns(sessionId, first), ({ day }) => day)
      const days = Array.from({ length: query.days }, (_, index) => first + index * DAY_MS)
      return { object: 'stats' as const, days: days.map((day) => toDayView(day, byDay.get(day) ?? [])) }
    }
  )
}

export default stats

function toDayView(day: number, counts: TurnCount[]): Static<typeof Day> {
  return {
    date: new Date(day).toISOString().slice(0, 'yyyy-mm-dd'.length),
    turns: counts.reduce((sum, { turns }) => sum + turns, 0),
    endings: counts.map(({ status, error, turns }) => ({ status, error, turns }))
  }
}
