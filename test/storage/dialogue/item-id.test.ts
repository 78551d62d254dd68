import t from 'tap'
import { FIRST_OUTPUT, itemId, itemPlace } from '../../../storage/dialogue/item-id.ts'

const HEX = '0123456789abcdef0123456789abcdef'
const turn = { id: `turn_${HEX}`, seq: 258 }

t.test('an id says in which turn an item stands, where, and of what type it is', async (t) => {
  const types: [type: string | undefined, prefix: string][] = [
    [undefined, 'msg'],
    ['message', 'msg'],
    ['function_call', 'fc'],
    ['function_call_output', 'fco'],
    ['reasoning', 'rs'],
    ['custom_tool_call', 'ctc'],
    ['custom_tool_call_output', 'ctco'],
    ['something_new', 'item'],
    ['constructor', 'item'],
    ['toString', 'item']
  ]
  for (const [type, prefix] of types) {
    const id = itemId(turn, FIRST_OUTPUT + 3, type === undefined ? {} : { type })
    t.equal(id, `${prefix}_${HEX}00000102800003`)
    t.strictSame(itemPlace(id), { turnId: turn.id, seq: 258, position: FIRST_OUTPUT + 3 })
  }
})

t.test('every place has an id of its own that leads back to it', async (t) => {
  for (const seq of [1, 15, 16, 0x7fffffff]) {
    for (const position of [0, 9, 255, FIRST_OUTPUT - 1, FIRST_OUTPUT, 0xffff]) {
      t.strictSame(itemPlace(itemId({ ...turn, seq }, position, {})), { turnId: turn.id, seq, position })
    }
  }
})

t.test('what is no id of an item has no place', async (t) => {
  const id = itemId(turn, 0, {})
  const others = [
    '',
    'x',
    'msg_',
    turn.id,
    id.slice(0, -1),
    `${id}0`,
    id.toUpperCase(),
    id.slice(3),
    ` ${id}`,
    `${id}\n`,
    `msg_${HEX}80000000000000`,
    `msg_${HEX}ffffffff000000`,
    `MSG${id.slice(3)}`,
    `m1${id.slice(3)}`,
    id.slice(1)
  ]
  for (const other of others) t.equal(itemPlace(other), null, JSON.stringify(other))
})
