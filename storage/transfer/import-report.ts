import type { Turn } from '../contract.ts'
import type { Outcome } from './import.ts'
import type { Remark } from './messages-to-turns.ts'
import type { MadeConversation } from './old-conversation.ts'
import type { OldDatabase } from './old-database.ts'

/** Counts of all that was read, made and skipped, and old ids of what is not as it was. */
export interface ImportReport {
  read: { conversations: number; messages: number }
  made: { conversations: number; turns: number }
  /** Were there from an earlier run, but not whole, or have changed in the old database. */
  completed: { conversations: number; turns: number }
  unchanged: number
  /** Have more turns here than in the old database, and were left alone. */
  goneOn: string[]
  deleted: { conversations: number; messages: number }
  /** Messages that are in the turns of the conversations taken over, whether written now or there already. */
  placedMessages: number
  unplaced: { conversations: string[]; messages: string[] }
  /** Messages of conversations that could not be placed. */
  messagesOfUnplaced: number
  /** What was taken over, but not as it was: the reason, and old ids. */
  notes: Map<string, string[]>
  unread: string[]
}

const REMARKS: Record<Exclude<Remark['about'], 'role'>, string> = {
  status: 'status not known, taken as incomplete',
  instant: 'created_at cannot be read, taken from the message before or the conversation',
  json: 'a column does not hold the JSON it should, kept as text in detail.imported',
  'tool result': 'a tool result whose call is not known, kept without tool_call_id'
}

export function createImportReport(old: OldDatabase) {
  const result: ImportReport = {
    read: { conversations: old.conversations, messages: old.messages },
    made: { conversations: 0, turns: 0 },
    completed: { conversations: 0, turns: 0 },
    unchanged: 0,
    goneOn: [],
    deleted: { conversations: 0, messages: 0 },
    placedMessages: 0,
    unplaced: { conversations: [], messages: [] },
    messagesOfUnplaced: 0,
    notes: new Map(),
    unread: old.unread
  }
  const note = (reason: string, id: string): void => {
    const ids = result.notes.get(reason)
    if (ids) ids.push(id)
    else result.notes.set(reason, [id])
  }

  return {
    result,
    skippedDeleted(messages: number): void {
      result.deleted.conversations += 1
      result.deleted.messages += messages
    },
    unplacedConversation(id: string, reason: string, messages: number): void {
      result.unplaced.conversations.push(`${id}: ${reason}`)
      result.messagesOfUnplaced += messages
    },
    unplacedMessage(id: string, reason: string): void {
      result.unplaced.messages.push(`${id}: ${reason}`)
    },
    remark(made: MadeConversation, remarks: Remark[]): void {
      const id = `conversation ${made.oldId}`
      if (made.otherOwner) note('owner from the other column, because the one asked for is empty', id)
      if (made.noInstant) note('created_at cannot be read, taken from the first message that has one', id)
      if (made.lostMetadata === null) note('metadata is not a JSON object, not taken over', id)
      else if (made.lostMetadata > 0) note('metadata has entries beyond the limits, not taken over', id)
      for (const { id, about } of remarks) {
        if (about === 'role') this.unplacedMessage(id, 'its role is not known')
        else note(REMARKS[about], `message ${id}`)
      }
      result.placedMessages -= remarks.filter(({ about }) => about === 'role').length
    },
    written(outcome: Outcome, turns: Turn[], messages: number, oldId: string): void {
      result.placedMessages += messages
      if (outcome === 'unchanged') result.unchanged += 1
      else if (outcome === 'gone on') result.goneOn.push(oldId)
      else {
        result[outcome].conversations += 1
        result[outcome].turns += turns.length
      }
    }
  }
}

/** The report as lines to print. It holds ids and counts, never a text. */
export function reportLines(report: ImportReport, includeDeleted: boolean): string[] {
  const { read, made, completed, unchanged, goneOn, deleted, unplaced } = report
  const unplacedMessages = unplaced.messages.length + report.messagesOfUnplaced
  return [
    `read         ${read.conversations} conversations, ${read.messages} messages`,
    `made         ${made.conversations} conversations, ${made.turns} turns`,
    `completed    ${completed.conversations} conversations, ${completed.turns} turns`,
    `there        ${unchanged} conversations from an earlier run, nothing to change`,
    `gone on      ${goneOn.length} conversations that have more turns here, left alone`,
    `deleted      ${deleted.conversations} conversations, ${deleted.messages} messages${includeDeleted ? '' : ', not taken over (see --include-deleted)'}`,
    `messages     ${report.placedMessages} placed in turns, ${deleted.messages} deleted, ${unplacedMessages} not placed`,
    ...goneOn.map((id) => `gone on      conversation ${id}`),
    ...[...report.notes].flatMap(([reason, ids]) => ids.map((id) => `note         ${id}: ${reason}`)),
    ...unplaced.conversations.map((text) => `NOT PLACED   conversation ${text}`),
    ...unplaced.messages.map((text) => `NOT PLACED   message ${text}`),
    ...report.unread.map((name) => `not read     ${name}`)
  ]
}
