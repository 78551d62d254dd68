import t from 'tap'
import { isErrorReply } from '../helper/request.ts'
import { startStateful } from '../helper/stateful.ts'

t.test('a request that cannot be served is an error that names the field and calls nobody', async (t) => {
  const { create, respond, upstream } = await startStateful(t)
  const id = await create()
  const none = `conv_${'0'.repeat(32)}`
  const both = { code: 'mutually_exclusive_parameters', param: 'previous_response_id' }
  const header = { 'x-conversation-id': id }
  const cases: [body: object, headers: Record<string, string>, status: number, error: object][] = [
    [{ background: true }, {}, 400, { code: 'unsupported_parameter', param: 'background' }],
    [
      { previous_response_id: 'resp_0' },
      {},
      400,
      { code: 'previous_response_not_found', param: 'previous_response_id' }
    ],
    [{ previous_response_id: 'resp_0', store: false }, {}, 400, { code: 'previous_response_not_found' }],
    [{ previous_response_id: 'resp_0', conversation: id }, {}, 400, both],
    [{ previous_response_id: 'resp_0', conversation_id: id }, {}, 400, both],
    [{ previous_response_id: 'resp_0' }, header, 400, both],
    [{ previous_response_id: 'resp_0' }, { 'x-parent-seq': '0' }, 400, { ...both, param: 'x-parent-seq' }],
    [{ conversation: id }, header, 400, { ...both, param: 'conversation' }],
    [{ conversation: none }, {}, 404, { code: 'conversation_not_found', param: 'conversation' }],
    [{ conversation_id: none }, {}, 404, { code: 'conversation_not_found', param: null }],
    [{ previous_response_id: 7 }, {}, 400, { code: 'invalid_value', param: 'previous_response_id' }],
    [{ input: 7 }, {}, 400, { code: 'invalid_value', param: 'input' }],
    [{ input: [7] }, {}, 400, { code: 'invalid_value', param: 'input[0]' }],
    [{ stream: 'yes' }, {}, 400, { code: 'invalid_value', param: 'stream' }],
    [{ background: 'no' }, {}, 400, { code: 'invalid_value', param: 'background' }],
    [{ metadata: { k: 1 } }, {}, 400, { code: 'invalid_value', param: 'metadata.k' }],
    [{ input: [], conversation: id }, {}, 400, { code: 'invalid_value', param: 'input' }]
  ]
  for (const [body, headers, status, error] of cases) {
    const res = await respond('Hi', body, headers)
    isErrorReply(t, res, status, error, JSON.stringify(body).slice(0, 70))
  }
  t.equal(upstream.calls.length, 0)
})
