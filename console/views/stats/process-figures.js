import { html } from '../../preact.js'
import { bucketsOf, quantileOf, sumOf } from '../../text/prometheus.js'
import { Bars, Lengths } from './bars.js'

/** What the process that answered has measured since it started. @param {{ samples: import('../../text/prometheus.js').Sample[] }} props */
export function ProcessFigures({ samples }) {
  if (samples.length === 0) {
    return html`<section><h2>Time to first token, transactions per turn</h2>
      <p>They are in <code>/metrics</code>, which this server shows to its operator alone.</p></section>`
  }
  return html`<${FirstToken} buckets=${bucketsOf(samples, 'turnkeeper_first_byte_seconds')} /><${Writes} samples=${samples} />`
}

/** @param {{ buckets: { upTo: number, count: number }[] }} props */
function FirstToken({ buckets }) {
  const bars = buckets.map(({ upTo, count }) => ({
    label: upTo === Number.POSITIVE_INFINITY ? 'more' : duration(upTo),
    values: [count]
  }))
  const half = quantileOf(buckets, 0.5)
  const most = quantileOf(buckets, 0.95)
  return html`<section>
    <h2>Time to first token</h2>
    <p>${half === null || most === null ? 'No answer has streamed since this process started.' : `Half of the answers began within ${duration(half)}, 95 % within ${duration(most)}, counted from the whole request to the first byte of the stream, since this process started.`}</p>
    ${half !== null && html`<${Bars} title="Time to first token" unit="answers" series=${[{ name: 'answers', tone: 'tone-main' }]} bars=${bars} />`}
  </section>`
}

/** @param {{ samples: import('../../text/prometheus.js').Sample[] }} props */
function Writes({ samples }) {
  const turns = sumOf(samples, 'turnkeeper_turns_accepted_total')
  const written = (/** @type {string} */ write) =>
    sumOf(samples, 'turnkeeper_persist_seconds_count', { write, outcome: 'written' })
  const writes = [
    ...new Set(
      samples
        .filter(({ name }) => name === 'turnkeeper_persist_seconds_count')
        .map(({ labels }) => labels.write ?? '')
    )
  ]
  const rows = writes.map((write) => ({ label: `for the ${write}`, value: perTurn(written(write), turns) }))
  const sum = rows.reduce((total, { value }) => total + value, 0)
  return html`<section>
    <h2>Database transactions per turn</h2>
    <p>${turns === 0 ? 'No turn was recorded since this process started.' : `${round(sum)}: one for the question, one for the whole answer, however long it is. Over ${turns} turns since this process started.`}</p>
    <${Lengths} title="Database transactions per turn" rows=${rows} />
  </section>`
}

/** @param {number} count @param {number} turns */
function perTurn(count, turns) {
  return turns === 0 ? 0 : round(count / turns)
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 100) / 100
}

/** @param {number} seconds */
function duration(seconds) {
  if (seconds === Number.POSITIVE_INFINITY) return 'more than a minute'
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds} s`
}
