import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { Test } from 'tap'
import type { Conversation, Store, Turn } from '../../storage/contract.ts'
import { newId } from '../../storage/ids.ts'
import { openStore } from '../../storage/open-store.ts'
import { conversationsOf, turnPagesOf } from '../../storage/transfer/transfer-pages.ts'
import { tempFolder } from './app.ts'

const TRANSFER = path.join(import.meta.dirname, '../../storage/transfer')

/** An initialized store that closes with the test. */
export async function openTestStore(t: Test, url: string): Promise<Store> {
  const store = await openStore(url, { report: (message) => t.fail(message) })
  t.teardown(() => store.close())
  await store.initialize()
  return store
}

/** Fills the store of `url`, or looks into it, and closes it again. */
export async function withStore<T>(url: string, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore(url, { report: () => {} })
  try {
    await store.initialize()
    return await use(store)
  } finally {
    await store.close()
  }
}

export const sqliteUrl = (t: Test): string => `sqlite:${path.join(tempFolder(t), 'test.db')}`
export const filejsonUrl = (t: Test): string => `filejson:${path.join(tempFolder(t), 'data')}`

export interface CommandResult {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** A command line tool as its npm script runs it, killed with the test. */
export function startCommand(t: Test, name: 'copy' | 'import', args: string[]) {
  const script = path.join(TRANSFER, `${name}-cli.ts`)
  // Without tap's loader, which slows the start and handles signals.
  const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, script, ...args], {
    cwd: tempFolder(t),
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    output.stderr += text
  })
  const ended = once(child, 'close').then(([code, signal]): CommandResult => ({ code, signal, ...output }))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { kill: () => child.kill('SIGKILL'), ended }
}

export function runCommand(t: Test, name: 'copy' | 'import', args: string[]): Promise<CommandResult> {
  return startCommand(t, name, args).ended
}

/** All that a store holds. */
export async function contentOf(store: Store): Promise<{ conversation: Conversation; turns: Turn[] }[]> {
  const content: { conversation: Conversation; turns: Turn[] }[] = []
  for await (const conversation of conversationsOf(store)) {
    const turns: Turn[] = []
    for await (const page of turnPagesOf(store, conversation)) turns.push(...page)
    content.push({ conversation, turns })
  }
  return content
}

/** Imports a conversation of `count` plain turns, with `change` applied to each. */
export async function addConversation(
  store: Store,
  count: number,
  change: (turn: Turn) => Partial<Turn> = () => ({}),
  fields: Partial<Conversation> = {}
): Promise<Conversation> {
  const conversation: Conversation = {
    id: newId('conv'),
    sessionId: 'alice',
    title: null,
    model: 'm',
    metadata: {},
    pinned: false,
    lastSeq: count,
    createdAt: 1_700_000_000_000,
    activeAt: 1_700_000_000_000 + count,
    ...fields
  }
  const turns = Array.from({ length: count }, (_, index): Turn => {
    const turn: Turn = {
      id: newId('turn'),
      conversationId: conversation.id,
      seq: index + 1,
      parentSeq: index,
      attempt: 1,
      kind: 'chat',
      superseded: false,
      model: null,
      metadata: {},
      userText: `question ${index + 1}`,
      assistantText: `answer ${index + 1}`,
      status: 'completed',
      finishReason: 'stop',
      error: null,
      completionId: null,
      detail: null,
      createdAt: 1_700_000_000_000 + index
    }
    return { ...turn, ...change(turn) }
  })
  await store.importConversation(conversation)
  for (let from = 0; from < count; from += 500) await store.importTurns(turns.slice(from, from + 500))
  return conversation
}
