import path from 'node:path'
import t, { type Test } from 'tap'
import type { Turn } from '../../storage/contract.ts'
import { tempFolder } from '../helper/app.ts'
import { addConversation, withStore } from '../helper/transfer.ts'
import { BROWSER } from './helper/browser.ts'
import { answersIn, eventually, liveIn, open, say, settled, startConsole, turnsIn } from './helper/console.ts'
import { steered } from './helper/steered.ts'
import { misdeedsIn } from './helper/trespass.ts'

const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII='
const REMOTE = 'http://elsewhere.test/secret.png'
const chat = (message: object, index = 0) => ({
  index,
  message: { role: 'assistant', ...message },
  finish_reason: 'stop'
})

/** The page with one stored turn for each of these. */
async function startWith(t: Test, turns: Partial<Turn>[]) {
  const url = `sqlite:${path.join(tempFolder(t), 'test.db')}`
  let id = ''
  await withStore(url, async (store) => {
    const change = ({ seq }: Turn) => turns[seq - 1] ?? {}
    id = (await addConversation(store, turns.length, change, { sessionId: 'local', title: 'Seeded' })).id
  })
  const started = await startConsole(t, { settings: { DB_URL: url } })
  await open(started.page, started.url, id)
  await turnsIn(started.page)
    .nth(turns.length - 1)
    .waitFor()
  const turn = (seq: number) => started.page.getByRole('article', { name: `Turn ${seq}`, exact: true })
  return { ...started, turn }
}

t.test('a stored turn shows all that was said', BROWSER, async (t) => {
  const call = { id: 'c1', type: 'function', function: { name: 'look_up', arguments: '{"city":"Oslo"}' } }
  const user = { role: 'user', content: 'Ask' }
  const { seen, turn, url } = await startWith(t, [
    {
      detail: {
        input: [{ role: 'system', content: 'Be brief.' }, user],
        choices: [chat({ content: null, tool_calls: [call] })]
      },
      assistantText: null
    },
    { detail: { input: [{ role: 'tool', tool_call_id: 'c1', content: '{"rain":true}' }] }, userText: null },
    ...['reasoning_content', 'reasoning'].map((name) => ({
      detail: { choices: [chat({ content: 'So.', [name]: `Thought in ${name}` })] }
    })),
    {
      detail: {
        choices: [
          chat({
            content: 'So.',
            reasoning_details: [{ type: 'reasoning.text', text: 'Thought in details' }]
          })
        ]
      }
    },
    { detail: { choices: [chat({ content: null, refusal: 'I will not.' })] }, assistantText: null },
    { detail: { choices: [chat({ content: 'The first' }), chat({ content: 'The second' }, 1)] } },
    {
      kind: 'response',
      detail: {
        input: [{ role: 'user', content: [{ type: 'input_text', text: 'As a response' }] }],
        response: {
          output: [
            { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Thought of a response' }] },
            { type: 'function_call', call_id: 'c2', name: 'measure', arguments: '{}' },
            {
              type: 'message',
              role: 'assistant',
              content: [{ type: 'output_text', text: 'Answer of a response' }]
            }
          ]
        }
      }
    },
    {
      kind: 'items',
      detail: {
        input: [{ role: 'user', content: 'Added by hand' }],
        output: [{ role: 'assistant', content: 'Answered by hand' }]
      }
    },
    {
      detail: {
        input: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'Two pictures' },
              { type: 'image_url', image_url: { url: PIXEL } },
              { type: 'image_url', image_url: { url: REMOTE } },
              { type: 'file', file: { filename: 'report.pdf' } }
            ]
          }
        ]
      }
    },
    { status: 'failed', error: 'upstream_error', finishReason: null, assistantText: null },
    { finishReason: 'length' }
  ])
  await turn(1).getByText('Instructions').click()
  await turn(1).getByText('Be brief.').waitFor()
  await turn(1).getByText('Called look_up').click()
  t.equal(await turn(1).locator('pre').innerText(), '{\n  "city": "Oslo"\n}')
  await turn(2).getByText('Result').click()
  t.equal(await turn(2).locator('pre').innerText(), '{\n  "rain": true\n}')
  for (const [seq, where] of [
    [3, 'reasoning_content'],
    [4, 'reasoning'],
    [5, 'details']
  ] as const) {
    t.equal(await turn(seq).getByText(`Thought in ${where}`).isVisible(), false, 'thoughts are folded')
    await turn(seq).getByText('Thoughts').click()
    t.equal(await turn(seq).getByText(`Thought in ${where}`).isVisible(), true, where)
    t.equal(await turn(seq).locator('.markdown').innerText(), 'So.')
  }
  t.match(await turn(6).locator('.answer').innerText(), 'Refused. I will not.')
  t.same(await turn(7).locator('.answer .markdown').allInnerTexts(), ['The first', 'The second'])
  t.same(await turn(7).locator('.answer .who').allInnerTexts(), [
    'Assistant, choice 1',
    'Assistant, choice 2'
  ])
  t.equal(await turn(8).locator('.bubble').innerText(), 'As a response')
  t.same(await turn(8).locator('.answer summary').allInnerTexts(), ['Thoughts', 'Called measure'])
  t.equal(await turn(8).locator('.answer .markdown').innerText(), 'Answer of a response')
  t.equal(
    await turn(8).getByRole('button', { name: 'Regenerate' }).count(),
    0,
    'a response is not asked again as a chat'
  )
  t.equal(await turn(9).locator('.bubble').innerText(), 'Added by hand')
  t.equal(await turn(9).locator('.answer .markdown').innerText(), 'Answered by hand')
  t.equal(await turn(9).getByRole('button', { name: 'Regenerate' }).count(), 0, 'nor is what nobody answered')
  const picture = turn(10).locator('img.picture')
  t.equal(
    await eventually(
      () => picture.evaluate((image: HTMLImageElement) => image.naturalWidth),
      (width) => width === 1
    ),
    1,
    'a picture that came along is shown'
  )
  const link = turn(10).getByRole('link', { name: 'Image at elsewhere.test' })
  t.equal(await link.getAttribute('href'), REMOTE)
  t.match(await link.getAttribute('rel'), /noopener/)
  await turn(10).getByText('report.pdf').waitFor()
  await turn(11).getByRole('button', { name: 'Try again' }).waitFor()
  await turn(12).getByText('length limit').waitFor()
  t.strictSame(misdeedsIn(seen, url), [], 'nothing is fetched from elsewhere')
})

t.test('Markdown is shown as what it means', { ...BROWSER }, async (t) => {
  const text = [
    '# Title\n\nSome *text* with `code` and a [link](https://example.test/a).',
    '| Left | Right |\n|:--|--:|\n| 1 | 2 |',
    '```js\nconst a = "<b>"\n```\n\n    indented',
    '1. one\n2. two\n   - nested\n\n- [x] done\n- [ ] open\n\n> quoted',
    `![tracker](${REMOTE}) ![inline](${PIXEL}) https://example.test/b`,
    'Line one\nline two\n\n---\n\n[ref][r]\n\n[r]: https://example.test/c'
  ].join('\n\n')
  const { page, seen, turn, url } = await startWith(t, [{ assistantText: text }])
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  const answer = turn(1).locator('.markdown')
  t.equal(await answer.getByRole('heading', { name: 'Title' }).count(), 1)
  t.same(await answer.locator('th').allInnerTexts(), ['Left', 'Right'])
  t.same(await answer.locator('td').allInnerTexts(), ['1', '2'])
  t.equal(await answer.locator('code.language-js').innerText(), 'const a = "<b>"\n')
  t.same(await answer.locator('ol > li').count(), 2)
  t.match(await answer.locator('ul').last().innerText(), /☑ done\s+☐ open/)
  t.equal(await answer.locator('blockquote').innerText(), 'quoted')
  t.equal(await answer.locator('hr').count(), 1)
  t.equal(await answer.locator('br').count(), 1, 'a line is a line')
  const links = await answer
    .locator('a')
    .evaluateAll((all) =>
      all.map((one) => [one.getAttribute('href'), one.getAttribute('rel'), one.getAttribute('target')])
    )
  const safe = ['noopener noreferrer nofollow', '_blank']
  t.same(
    links,
    ['https://example.test/a', REMOTE, 'https://example.test/b', 'https://example.test/c'].map((href) => [
      href,
      ...safe
    ])
  )
  t.same(await answer.locator('img').evaluateAll((all) => all.map((one) => one.getAttribute('src'))), [PIXEL])
  await answer.getByRole('button', { name: 'Copy the code' }).first().click()
  await answer.getByRole('button', { name: 'Copied' }).waitFor()
  t.equal(await page.evaluate(() => navigator.clipboard.readText()), 'const a = "<b>"')
  t.strictSame(misdeedsIn(seen, url), [])
})

t.test('what streams is shown at every moment, and at its end as it is stored', { ...BROWSER }, async (t) => {
  const { script, next } = steered()
  const { page, seen, url } = await startConsole(t, { script })
  await open(page, url)
  await say(page, 'Go')
  const answer = await next()
  answer.write({ reasoning_content: 'First I ' })
  await page.getByText('Thinking…').waitFor()
  answer.write({ reasoning_content: 'think' })
  await page.locator('.turn.live').getByText('First I think').waitFor()
  answer.write('Some **bo')
  await liveIn(page).getByText('Some **bo').waitFor()
  await page.locator('.turn.live summary').getByText('Thoughts').waitFor()
  answer.write('ld** and a [li')
  await liveIn(page).locator('strong').getByText('bold').waitFor()
  answer.write('nk][r]\n\n```js\nlet x')
  await liveIn(page).locator('pre').getByText('let x').waitFor()
  answer.write(' = 1\n```\n\n| a | b |\n|---|---|\n| 1 |')
  await liveIn(page).locator('td').getByText('1').waitFor()
  answer.write(' 2 |\n\n[r]: https://example.test/late\n')
  answer.write({ tool_calls: [{ index: 0, id: 'c', function: { name: 'look', arguments: '{"a":' } }] })
  await page.locator('.turn.live').getByText('Called look').waitFor()
  answer.write({ tool_calls: [{ index: 0, function: { arguments: '1}' } }] })
  answer.end()
  await settled(page, 1)
  const stored = answersIn(page)
  t.equal(await stored.locator('a').getAttribute('href'), 'https://example.test/late')
  t.equal(await stored.locator('pre').innerText(), 'let x = 1\n')
  t.same(await page.locator('.turn summary').allInnerTexts(), ['Thoughts', 'Called look'])
  t.strictSame(misdeedsIn(seen, url), [])
})
