import { stripTypeScriptTypes } from 'node:module'
import { type Node, parse } from 'acorn'

/** A source without one of its predicates. */
export interface Mutant {
  line: number
  /** The predicate that is gone. */
  predicate: string
  source: string
}

interface Found {
  mutants: Mutant[]
  /** Where a session is compared in a way that is not known here: nothing was made of it. */
  unknown: string[]
}

type AnyNode = Node & {
  // biome-ignore lint/suspicious/noExplicitAny: one type for every kind of node
  [field: string]: any
}

/** Functions that name columns without comparing them. */
const NAMING = new Set(['select', 'column', 'columns', 'addColumn', 'orderBy', 'groupBy', 'returning', 'ref'])
const EQUALITIES: Record<string, string> = { '===': 'true', '==': 'true', '!==': 'false', '!=': 'false' }
const SESSION = /\bsession_?id$/i

/**
 * Finds in a source of TypeScript each place where `column` is compared: conditions of Kysely, comparisons of
 * JavaScript, and SQL in templates. `column` is what has to be the whole name, perhaps behind that of a table.
 */
export function predicatesIn(source: string, column = SESSION): Found {
  const mutants: Mutant[] = []
  const unknown: string[] = []
  const lineOf = (at: number): number => source.slice(0, at).split('\n').length
  const cut = (start: number, end: number, instead: string): void => {
    mutants.push({
      line: lineOf(start),
      predicate: source.slice(start, end).replaceAll(/\s+/g, ' ').trim(),
      source: source.slice(0, start) + instead + source.slice(end)
    })
  }
  const puzzle = (node: AnyNode): void => {
    unknown.push(`${lineOf(node.start)}: ${source.slice(node.start, node.end)}`)
  }

  // Types are replaced by spaces, so that every place stays where it is.
  const ast = parse(stripTypeScriptTypes(source), { ecmaVersion: 'latest', sourceType: 'module' })
  for (const node of nodesIn(ast)) {
    if (node.type === 'CallExpression' && isColumn(node.arguments[0])) condition(node)
    if (node.type === 'BinaryExpression' && [node.left, node.right].some(isNamed)) comparison(node)
    if (node.type === 'TaggedTemplateExpression') template(node)
  }
  return { mutants, unknown }

  function isColumn(node: AnyNode | undefined): boolean {
    return node?.type === 'Literal' && typeof node.value === 'string' && column.test(node.value)
  }

  function isNamed(node: AnyNode): boolean {
    if (node.type === 'ChainExpression') return isNamed(node.expression)
    const name = node.type === 'MemberExpression' ? node.property : node
    return name.type === 'Identifier' && column.test(name.name)
  }

  /** `query.where('session_id', '=', value)`, or the same without `query`, inside of a condition. */
  function condition(call: AnyNode): void {
    const { callee } = call
    const name = callee.type === 'MemberExpression' ? callee.property.name : callee.name
    if (NAMING.has(name)) return
    if (call.arguments.length !== 3) puzzle(call)
    else if (callee.type === 'MemberExpression') cut(callee.object.end, call.end, '')
    else cut(call.start, call.end, `${name}.lit(true)`)
  }

  function comparison(node: AnyNode): void {
    if ([node.left, node.right].some(({ name }) => name === 'undefined')) return // whether it was given at all
    const instead = EQUALITIES[node.operator]
    if (instead) cut(node.start, node.end, instead)
    else puzzle(node)
  }

  function template(node: AnyNode): void {
    const text = source.slice(node.start, node.end)
    const pattern = /(?:\w+\.)?(\w+)\s*=\s*\$\{[^}]*\}/g
    const found = [...text.matchAll(pattern)].filter(([, name]) => column.test(name ?? ''))
    for (const match of found) {
      const start = node.start + match.index
      cut(start, start + match[0].length, 'true')
    }
    // Where a row is inserted the column is named, and compared with nothing.
    const compared = text.replaceAll(/insert into \w+\s*\([^)]*\)/g, '').replaceAll(/\$\{[^}]*\}/g, '')
    if (found.length === 0 && /session_?id/i.test(compared)) puzzle(node)
  }
}

function* nodesIn(node: AnyNode): Generator<AnyNode> {
  yield node
  for (const value of Object.values(node)) {
    for (const child of [value].flat()) if (typeof child?.type === 'string') yield* nodesIn(child)
  }
}
