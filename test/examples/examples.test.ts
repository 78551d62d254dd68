import { globSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { codeIn, readSource, relativeLinks, tables } from '../helper/doc-tables.ts'
import { EXAMPLES } from '../helper/run-example.ts'

const ROOT = path.join(EXAMPLES, '..')
/** Files, and folders with a slash. */
const entries = readdirSync(EXAMPLES, { withFileTypes: true })
  .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
  .filter((name) => name !== 'README.md')
const programs = globSync('**/*.{mjs,sh}', { cwd: EXAMPLES })

t.test('examples/README.md lists every example, with a command that starts it', async (t) => {
  const rows = tables(readSource('examples/README.md'))
  t.same(rows.map(([link]) => /^\[([^\]]+)\]/.exec(link ?? '')?.[1]).sort(), entries.sort())
  for (const [link, , , command] of rows) {
    const [, program, file = ''] = /^(bash|node) examples\/(\S+)$/.exec(codeIn(command)) ?? []
    t.ok(programs.includes(file), `${link}: ${file}`)
    t.equal(program, file.endsWith('.sh') ? 'bash' : 'node')
  }
})

t.test('every file of an example that has a README is named there', async (t) => {
  for (const readme of globSync('*/README.md', { cwd: EXAMPLES })) {
    const folder = path.join(EXAMPLES, path.dirname(readme))
    const linked = relativeLinks(readSource(`examples/${readme}`)).filter((link) => !link.startsWith('..'))
    t.same([...readdirSync(folder).filter((name) => name !== 'README.md')].sort(), linked.sort())
  }
})

t.test('every example is run by a test', async (t) => {
  const tests = globSync(['test/examples/*.test.ts', 'test/browser/*.browser.ts'], { cwd: ROOT })
    .map(readSource)
    .join('\n')
  t.ok(programs.length > 5)
  for (const program of programs) t.ok(tests.includes(`, '${program}'`), program)
})

t.test(
  'every example begins with what it shows and how to run it, and has its address in one line',
  async (t) => {
    for (const program of programs) {
      const lines = readFileSync(path.join(EXAMPLES, program), 'utf8')
        .split('\n')
        .filter((line) => !line.startsWith('#!'))
      const comment = lines.slice(
        0,
        lines.findIndex((line) => !/^(\/\/|#)/.test(line))
      )
      t.ok(comment.length >= 2 && comment.length <= 4, `${program}: ${comment.length} lines of comment`)
      t.match(comment.join('\n'), `examples/${program}`, program)
      const address = lines.filter((line) => line.includes('TURNKEEPER_URL') && !line.startsWith('//'))
      t.match(address, { length: 1 }, program)
      t.match(address[0], 'http://127.0.0.1:3001/v1', program)
    }
  }
)
