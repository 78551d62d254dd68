import path from 'node:path'

/** V8's own format of a CPU profile. */
export interface CpuProfile {
  nodes: ProfileNode[]
  samples: number[]
  /** Microseconds before each sample. */
  timeDeltas: number[]
}

interface ProfileNode {
  id: number
  callFrame: { functionName: string; url: string; lineNumber: number }
  children?: number[]
}

/** A function where it was called from, and the time in it and below. */
export interface Frame {
  name: string
  place: string
  selfUs: number
  totalUs: number
  children: Frame[]
}

const ROOT = path.join(import.meta.dirname, '../..')

/** A short name of a source: from the checkout's root, a package's name and file, or Node's own. */
function placeOf({ url, lineNumber }: ProfileNode['callFrame']): string {
  if (url === '') return ''
  const file = url.replace('file://', '').replace(`${ROOT}/`, '')
  return `${file.replace(/^.*node_modules\//, '~')}:${lineNumber + 1}`
}

/** The tree of calls, each function with its time. */
export function frameTree({ nodes, samples, timeDeltas }: CpuProfile): Frame {
  const selfUs = new Map<number, number>()
  for (const [at, id] of samples.entries()) selfUs.set(id, (selfUs.get(id) ?? 0) + (timeDeltas[at] ?? 0))
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const build = (node: ProfileNode): Frame => {
    const children = (node.children ?? []).flatMap((id) => byId.get(id) ?? []).map(build)
    const own = selfUs.get(node.id) ?? 0
    return {
      name: node.callFrame.functionName || '(anonymous)',
      place: placeOf(node.callFrame),
      selfUs: own,
      totalUs: children.reduce((sum, child) => sum + child.totalUs, own),
      children
    }
  }
  const [root] = nodes
  if (!root) throw new Error('the profile is empty')
  return build(root)
}

export interface Hot {
  name: string
  place: string
  selfUs: number
  totalUs: number
}

/** Each function once, with its time wherever it was called from; the most of its own time first. */
export function hottest(root: Frame): Hot[] {
  const found = new Map<string, Hot>()
  const visit = (frame: Frame, above: Set<string>): void => {
    const key = `${frame.name} ${frame.place}`
    const hot = found.get(key) ?? { name: frame.name, place: frame.place, selfUs: 0, totalUs: 0 }
    found.set(key, hot)
    hot.selfUs += frame.selfUs
    if (!above.has(key)) hot.totalUs += frame.totalUs // once where it calls itself
    const inside = new Set(above).add(key)
    for (const child of frame.children) visit(child, inside)
  }
  visit(root, new Set())
  return [...found.values()].sort((a, b) => b.selfUs - a.selfUs)
}
