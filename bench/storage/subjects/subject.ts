import { proseOf } from '../../upstream/answers.ts'

/** A way to record turns. `slot` is which of those in flight it is; each slot fills one conversation after the other. */
export interface Subject {
  turn(slot: number): Promise<void>
  close(): Promise<void>
}

export const QUESTION = proseOf(240)
export const ANSWER = proseOf(940)
/** After so many turns a slot begins a new conversation. */
export const TURNS_EACH = 10
export const IN_FLIGHT = 64

export type SubjectName =
  | 'store'
  | 'bare-sqlite'
  | 'bare-sqlite-grouped'
  | 'bare-pg'
  | 'older-sqlite'
  | 'older-pg'

export async function openSubject(name: SubjectName, url: string): Promise<Subject> {
  switch (name) {
    case 'store':
      return await (await import('./store.ts')).openFacade(url)
    case 'bare-sqlite':
      return await (await import('./bare-sqlite.ts')).openBareSqlite(url, false)
    case 'bare-sqlite-grouped':
      return await (await import('./bare-sqlite.ts')).openBareSqlite(url, true)
    case 'bare-pg':
      return await (await import('./bare-pg.ts')).openBarePg(url)
    case 'older-sqlite':
      return (await import('./older.ts')).openOlderSqlite(url)
    case 'older-pg':
      return await (await import('./older.ts')).openOlderPg(url)
  }
}
