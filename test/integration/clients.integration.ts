import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { DRIVERS } from '../helper/every-driver.ts'
import { agents } from './clients/agents.ts'
import { aiSdk } from './clients/ai-sdk.ts'
import type { Client } from './clients/client-call.ts'
import { langchain } from './clients/langchain.ts'
import { openai } from './clients/openai.ts'
import { startServices } from './clients/service.ts'
import { createResults, DOCUMENT, withTables } from './clients/table.ts'

const CLIENTS: Client[] = [openai, aiSdk, langchain, agents]
const results = createResults(CLIENTS, Object.keys(DRIVERS))

for (const [driver, makePlace] of Object.entries(DRIVERS)) {
  t.test(`what the clients can do with ${driver}`, async (t) => {
    const { service } = await startServices(t, await makePlace(t))
    for (const client of CLIENTS) {
      for (const [index, { call, check }] of client.calls.entries()) {
        await t.test(`${client.name}: ${call}`, async (t) => {
          const faults: string[] = []
          let held = false
          try {
            await check(t, service(`${client.packages[0]}-${index}`, faults))
            t.same(faults, [], 'the upstream has nothing to complain about')
            held = t.passing()
          } finally {
            results.record(client, call, driver, held)
          }
        })
      }
    }
  })
}

t.test('docs/compatibility.md says what this run gave', async (t) => {
  t.same(results.empty(), [], 'every cell has a result')
  const document = readFileSync(DOCUMENT, 'utf8')
  const written = withTables(document, results.toMarkdown())
  if (process.env.COMPATIBILITY_TABLE === 'write' && t.passing()) writeFileSync(DOCUMENT, written)
  else t.equal(document, written, '`npm run compatibility` writes it anew')
})
