import { createHash } from 'node:crypto'

/** A source of choices that is the same for the same seed. */
export interface Random {
  /** From 0 up to 1. */
  next(): number
  /** A whole number; both ends are possible. */
  between(low: number, high: number): number
  chance(probability: number): boolean
  pick<T>(of: readonly T[]): T
}

export function createRandom(seed: string): Random {
  let state = createHash('sha256').update(seed).digest().readUInt32LE()
  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (low: number, high: number) => low + Math.floor(next() * (high - low + 1))
  return {
    next,
    between,
    chance: (probability) => next() < probability,
    pick: (of) => of[between(0, of.length - 1)] as (typeof of)[number]
  }
}

const WORDS =
  `able acid aged also area army away baby back ball band bank base bath bear beat been beer bell belt best
bill bird blow blue boat body bone book born boss both bowl bulk burn bush busy café call calm came camp card care case
cash cast cell chat chip city club coal coat code cold come cook cool cope copy core cost crew crop dark data date dawn
days dead deal dean dear debt deep deny desk dial diet disc disk does done door dose down draw drop drug dual duke dust
duty each earn ease east easy edge else even ever evil exit face fact fail fair fall farm fast fate fear feed feel feet
fell felt file fill film find fine fire firm fish five flat flow food foot ford form fort four free from fuel full fund
gain game gate gave gear gene gift girl give glad goal goes gold golf gone good gray grew grey grow gulf hair half hall
hand hang hard harm hate have head hear heat held hell help here hero high hill hire hold hole holy home hope host hour
naïve résumé über Straße piñata mañana crème brûlée`.split(/\s+/)

export function sentence(random: Random): string {
  const words = Array.from({ length: random.between(6, 14) }, () => random.pick(WORDS))
  const text = words.join(' ')
  return `${text[0]?.toUpperCase()}${text.slice(1)}.`
}

export function paragraph(random: Random, sentences: number): string {
  return Array.from({ length: sentences }, () => sentence(random)).join(' ')
}
