import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Client } from './client-call.ts'

const ROOT = path.join(import.meta.dirname, '../../..')
const BEGIN = '<!-- written by `npm run compatibility`: what stands here comes from its run -->'
const END = '<!-- written by hand from here on -->'

export const DOCUMENT = path.join(ROOT, 'docs/compatibility.md')

/** What a run found out: for each client, call and driver whether all held. */
export interface Results {
  record(client: Client, call: string, driver: string, held: boolean): void
  /** The cells that the run did not come to. */
  empty(): string[]
  /** The tables, in Markdown. */
  toMarkdown(): string
}

export function createResults(clients: Client[], drivers: string[]): Results {
  const cells = new Map<string, boolean>()
  const nameOf = (client: Client, call: string, driver: string) => `${client.name}, ${call}, ${driver}`
  const row = (values: string[]) => `| ${values.join(' | ')} |`

  function tableOf(client: Client): string {
    const versions = client.packages.map((name) => `\`${name}\` ${versionOf(name)}`).join(', ')
    const rows = client.calls.map(({ call }) => {
      const marks = drivers.map((driver) => {
        const held = cells.get(nameOf(client, call, driver))
        return held === undefined ? '' : held ? '✓' : '✗'
      })
      return row([call, ...marks])
    })
    const head = [row(['Call', ...drivers]), `|---|${drivers.map(() => ':-:|').join('')}`]
    return [`## ${client.name}`, '', `${versions}.`, '', ...head, ...rows].join('\n')
  }

  return {
    record: (client, call, driver, held) => void cells.set(nameOf(client, call, driver), held),
    empty: () =>
      clients
        .flatMap((client) =>
          client.calls.flatMap(({ call }) => drivers.map((driver) => nameOf(client, call, driver)))
        )
        .filter((name) => !cells.has(name)),
    toMarkdown: () => clients.map(tableOf).join('\n\n')
  }
}

/** The document with other tables; what is written by hand stays. Throws when it lacks the marks between them. */
export function withTables(document: string, tables: string): string {
  const begin = document.indexOf(BEGIN)
  const end = document.indexOf(END)
  if (begin === -1 || end < begin) throw new Error(`docs/compatibility.md lacks '${BEGIN}' or '${END}'`)
  return `${document.slice(0, begin)}${BEGIN}\n\n${tables}\n\n${document.slice(end)}`
}

function versionOf(name: string): string {
  const file = path.join(ROOT, 'node_modules', name, 'package.json')
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
