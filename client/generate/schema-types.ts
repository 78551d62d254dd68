import { compile, type JSONSchema } from 'json-schema-to-typescript'

const BANNER = "// Made from the service's own schemas by `npm run client:types`; a test holds it to them."

/** What the client speaks of; what these are made of comes with them. */
const NAMES = [
  'ChatCompletion',
  'ChatCompletionRequest',
  'Conversation',
  'ConversationChanges',
  'ConversationDeleted',
  'ConversationList',
  'NewConversation',
  'Stats',
  'Turn',
  'TurnList'
]

/** The types of the components of an OpenAPI document, as TypeScript: open where their schemas say so. */
export async function schemaTypes(components: Record<string, object>): Promise<string> {
  const root: JSONSchema = {
    type: 'object',
    properties: Object.fromEntries(NAMES.map((name) => [name, { $ref: `#/definitions/${name}` }])),
    required: NAMES,
    definitions: JSON.parse(JSON.stringify(components).replaceAll('#/components/schemas/', '#/definitions/'))
  }
  return compile(root, 'Schemas', {
    additionalProperties: false,
    bannerComment: BANNER,
    ignoreMinAndMaxItems: true, // else a limit of 20 becomes 20 tuples
    style: { singleQuote: true, semi: false, printWidth: 110, trailingComma: 'none' }
  })
}
