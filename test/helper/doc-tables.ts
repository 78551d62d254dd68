import { readFileSync } from 'node:fs'
import path from 'node:path'

const root = path.join(import.meta.dirname, '../..')

/** The text of a file, by its path from the project's root. */
export function readSource(file: string): string {
  return readFileSync(path.join(root, file), 'utf8')
}

/** The rows of all tables, without their heads. */
export function tables(markdown: string): string[][] {
  const headings = [...markdown.matchAll(/^#+ (.+)\n(?:(?!#).*\n)*?\|/gm)].map(([, heading]) => heading ?? '')
  return headings.flatMap((heading) => tableUnder(markdown, heading))
}

/** The rows of the first table under `heading`, without its head. Throws when there is none. */
export function tableUnder(markdown: string, heading: string): string[][] {
  const lines = markdown.split('\n')
  const from = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading)
  const start = lines.findIndex((line, i) => i > from && line.startsWith('|'))
  if (from === -1 || start === -1) throw new Error(`no table under "${heading}"`)
  const end = lines.findIndex((line, i) => i > start && !line.startsWith('|'))
  return lines.slice(start + 2, end === -1 ? undefined : end).map((line) =>
    line
      .slice(1, line.lastIndexOf('|'))
      .split('|')
      .map((cell) => cell.trim())
  )
}

/** A cell that is nothing but one piece of code, without its marks. */
export function codeIn(cell: string | undefined): string {
  return /^`([^`]+)`$/.exec(cell ?? '')?.[1] ?? `not code: ${cell}`
}

/** The fenced blocks in `language`, in order. */
export function codeBlocks(markdown: string, language: string): string[] {
  const blocks = markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)
  return [...blocks].filter(([, name]) => name === language).map(([, , body]) => body ?? '')
}

/** The targets of links to files of our own and to headings. */
export function relativeLinks(markdown: string): string[] {
  const prose = markdown.replaceAll(/^```.*?^```$/gms, '')
  const links = prose.matchAll(/\]\(([^)\s]+)\)/g)
  return [...links].map(([, target]) => target ?? '').filter((target) => !/^[a-z]+:/.test(target))
}

/** The names under which the headings of `markdown` can be linked to, as GitHub makes them. */
export function headingAnchors(markdown: string): string[] {
  const prose = markdown.replaceAll(/^```.*?^```$/gms, '')
  return [...prose.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    (heading ?? '')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
  )
}
