import { direct } from './direct.ts'
import { nginx } from './nginx.ts'
import { olderDesign } from './older-design.ts'
import { passThrough } from './pass-through.ts'
import { pipe } from './pipe.ts'
import { turnkeeper, turnkeeperWithoutStorage } from './turnkeeper.ts'

export const TARGETS = [direct, nginx, pipe, passThrough, turnkeeper, turnkeeperWithoutStorage, olderDesign]
/** Of these, the ones that a crowd of streams is put through. */
export const CROWD_TARGETS = [direct, nginx, pipe, turnkeeper, olderDesign]
