import t from 'tap'
import { searchWords } from '../../storage/search-words.ts'

t.test('a text that grows when it is folded is read no further than others', async (t) => {
  // NFKC makes 18 characters of each: 3.8 million.
  const words = searchWords(`first ${'\ufdfa '.repeat(200_000)}last`)
  t.ok(words.includes('first'))
  t.notOk(words.includes('last'), 'it lies beyond what is searched')
})
