import { html } from '../../preact.js'
import { Bars, Lengths } from './bars.js'

const STATUSES = [
  { name: 'completed', tone: 'tone-good' },
  { name: 'incomplete', tone: 'tone-warn' },
  { name: 'failed', tone: 'tone-bad' },
  { name: 'in_progress', tone: 'tone-calm' }
]

/** What this session's turns were in the last days. @param {{ days: import('../../../client/index.d.ts').Stats['days'] }} props */
export function TurnFigures({ days }) {
  const bars = days.map(({ date, endings }) => ({
    label: date.slice(5),
    values: STATUSES.map(({ name }) =>
      endings.filter(({ status }) => status === name).reduce((sum, { turns }) => sum + turns, 0)
    )
  }))
  const total = days.reduce((sum, { turns }) => sum + turns, 0)
  return html`
    <section>
      <h2>Turns per day</h2>
      <p>${total} in the last ${days.length} days, counted by UTC day.</p>
      <${Bars} title="Turns per day" unit="turns" series=${STATUSES} bars=${bars} />
    </section>
    <section>
      <h2>Answers by ending</h2>
      <p>How the turns of these days have ended.</p>
      <${Lengths} title="Answers by ending" rows=${endingsOf(days)} />
    </section>`
}

/** @param {import('../../../client/index.d.ts').Stats['days']} days */
function endingsOf(days) {
  const rows = new Map([['completed', { label: 'completed', value: 0, tone: 'tone-good' }]])
  for (const { status, error, turns } of days.flatMap(({ endings }) => endings)) {
    const label = error ?? status
    const row = rows.get(label) ?? {
      label,
      value: 0,
      tone: STATUSES.find(({ name }) => name === status)?.tone ?? 'tone-calm'
    }
    rows.set(label, { ...row, value: row.value + turns })
  }
  return [...rows.values()].sort((a, b) => b.value - a.value)
}
