import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { buildApp } from '../../app.ts'
import { loadConfig } from '../../config.ts'
import { schemaTypes } from './schema-types.ts'

// Nothing is asked of this upstream; the demo would bring routes of its own.
const app = await buildApp(
  loadConfig({ DB_URL: 'sqlite::memory:', OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' })
)
const { components } = app.swagger() as { components: { schemas: Record<string, object> } }
await app.close()
writeFileSync(path.join(import.meta.dirname, '../schema.d.ts'), await schemaTypes(components.schemas))
