import t from 'tap'
import { DRIVERS } from '../helper/every-driver.ts'
import { startService } from '../helper/service-client.ts'
import type { World } from '../helper/service-model.ts'
import { run } from '../helper/service-run.ts'
import type { Ask, Step } from '../helper/service-steps.ts'
import { assertViews } from '../helper/service-views.ts'

const base: Ask = {
  step: 'ask',
  session: 0,
  route: 'chat',
  target: 'continued',
  pick: 0,
  parent: null,
  system: null,
  words: 'apple',
  results: 0,
  resend: 0,
  answers: [{ kind: 'text', words: 'birne', sameId: false }],
  stream: false,
  model: 'm1',
  tag: ''
}
const cut: Ask['answers'] = [{ kind: 'cut', words: 'datte', sameId: false }]
const failed: Ask['answers'] = [{ kind: 'broken', words: '', sameId: false }]
const sameId: Ask['answers'] = [{ kind: 'text', words: 'figue', sameId: true }]
const sameIdCut: Ask['answers'] = [{ kind: 'cut', words: 'étoile', sameId: true }]

/** `parent` is the index of a turn. Each is rarely met by chance. */
const WAYS: Record<string, Partial<Ask>[]> = {
  'a way that leads over a failed regenerate keeps the turns that the attempt did not replace': [
    { target: 'new', words: 'one' },
    { words: 'two' },
    { parent: 0, words: 'three', answers: failed },
    { words: 'four' },
    { parent: 1, words: 'five' },
    { parent: 3, words: 'six' }
  ],
  'the same when the attempt broke off': [
    { target: 'new', words: 'one' },
    { words: 'two' },
    { parent: 0, words: 'three', answers: cut },
    { words: 'four' },
    { parent: 1, words: 'five' },
    { parent: 3, words: 'six' }
  ],
  'a regenerate of a regenerate, and back': [
    { target: 'new', words: 'one' },
    { words: 'two' },
    { parent: 0, words: 'three' },
    { words: 'four' },
    { parent: 1, words: 'five' },
    { parent: 3, words: 'six' },
    { parent: 7, words: 'seven' }
  ],
  'responses fork, and their forks fork': [
    { route: 'response', target: 'new', words: 'one' },
    { route: 'response', target: 'after', words: 'two' },
    { route: 'response', target: 'after', pick: 1, words: 'three' },
    { route: 'response', target: 'after', pick: 1, words: 'four' },
    { route: 'response', target: 'after', pick: 1, words: 'five' },
    { route: 'chat', words: 'six' }
  ],
  'a new system prompt takes the place of the stored one': [
    { target: 'new', words: 'one', system: 'old' },
    { words: 'two', system: 'new' },
    { words: 'three' },
    { words: 'four', system: 'new' }
  ],
  'answers of one id, of two models': [
    { target: 'new', model: 'm1', answers: sameId },
    { target: 'new', model: 'm2', answers: sameId },
    { target: 'new', model: 'm1', answers: sameId, tag: 'red' },
    { target: 'new', model: 'm2', answers: sameId }
  ],
  'answers of one id, the newest of which broke off': [
    { target: 'new', answers: sameId },
    { target: 'new', answers: sameIdCut }
  ]
}

for (const [title, ways] of Object.entries(WAYS)) {
  t.test(title, async (t) => {
    for (const [driver, place] of Object.entries(DRIVERS)) {
      const client = await startService(t, await place(t))
      const world: World = { conversations: [], turns: [] }
      const sessions = ['first', 'second']
      const all: Step[] = ways.map((way) => ({ ...base, ...way }))
      const look = { limit: 2, word: 'two', model: 'm1', tag: 'red' }
      const agree = async () => {
        for (const step of all) await run(client, world, new Map(), sessions, step)
        await assertViews(client, world, 'first', 'second', look)
      }
      await t.resolves(agree(), driver)
    }
  })
}
