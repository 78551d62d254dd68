import { startScript, type Target } from './target.ts'

export const olderDesign: Target = {
  name: 'older design',
  about:
    'Fastify and undici; a draft row, appended to every 100 characters or second, better-sqlite3 at its default (NORMAL)',
  start: (context) => startScript('older-design.ts', context, { FILE: `${context.folder}/older.db` })
}
