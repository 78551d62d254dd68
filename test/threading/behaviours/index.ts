import { agents } from './agents.ts'
import { corrections } from './corrections.ts'
import { histories } from './histories.ts'
import { identical } from './identical.ts'
import { rewritten } from './rewritten.ts'
import { stops } from './stops.ts'
import type { Behaviour } from './talking.ts'

/** Every way in which a client of the simulation keeps and sends its chats. */
export const behaviours: Record<string, Behaviour> = {
  ...histories,
  ...rewritten,
  ...stops,
  ...corrections,
  ...agents,
  ...identical
}
