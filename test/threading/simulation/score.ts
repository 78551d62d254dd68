import type { Static } from 'typebox'
import type { TurnView } from '../../../routes/shapes.ts'
import type { Exchange } from './ledger.ts'

/** How the exchanges of one behaviour, or of all, were filed. */
export interface Score {
  requests: number
  right: number
  /** Of the requests those filed right, from 0 to 1. */
  share: number
  /** Wrong: in a new conversation, though it goes on from an exchange. */
  split: number
  /** Wrong: in a conversation that it does not belong to. */
  joined: number
  /** Of those joined: nothing told the two conversations apart. */
  alike: number
  /** In the right conversation, but not behind the exchange that it goes on from. */
  misplaced: number
  /** Exchanges that another one took the place of, and those of them that count no more. */
  replaced: number
  superseded: number
  /** Exchanges that nothing took the place of and that count no more all the same. */
  lost: number
}

/** What the service says of the conversations that the exchanges were filed in. */
export interface Filing {
  turns: Map<string, Static<typeof TurnView>[]>
  metadata: Map<string, Record<string, string>>
}

type Verdict = 'right' | 'split' | 'joined'

/** How one exchange was filed. */
export interface Judged {
  exchange: Exchange
  verdict: Verdict
  isAlike: boolean
  isMisplaced: boolean
  isSuperseded: boolean
}

/** Compares what is true of the exchanges with how they were filed. */
export function judge(exchanges: Exchange[], { turns, metadata }: Filing): Judged[] {
  const placeOf = ({ filed }: Exchange) => `${filed.conversationId} ${filed.seq}`
  const at = new Map(exchanges.map((exchange) => [placeOf(exchange), exchange]))
  const turnOf = ({ filed }: Exchange) =>
    turns.get(filed.conversationId ?? '')?.find(({ seq }) => seq === filed.seq)
  const siblings = (one: Exchange) =>
    exchanges.filter((other) => other !== one && other.isBeside && other.after === one.after)

  function verdictOf(exchange: Exchange): Verdict {
    const { filed, after, isBackground, isBeside } = exchange
    if (isBackground) return filed.match === 'skipped' && filed.conversationId === null ? 'right' : 'split'
    const isNew = filed.seq === 1
    if (after === null) return isNew && filed.match === 'new' ? 'right' : 'joined'
    const home = after.filed.conversationId
    if (isBeside) {
      const id = filed.conversationId
      const isShared = siblings(exchange).some((other) => other.filed.conversationId === id)
      if (isShared) return 'joined'
      if (isNew) return metadata.get(id ?? '')?.forked_from === home ? 'right' : 'split'
    }
    // Where no answer is in it yet, it is a new conversation by the rules.
    if (exchange.isOpening) return isNew ? 'right' : 'joined'
    if (filed.conversationId === home) return 'right'
    return isNew ? 'split' : 'joined'
  }

  return exchanges.map((exchange) => {
    const verdict = verdictOf(exchange)
    const turn = turnOf(exchange)
    const { filed, after } = exchange
    if (filed.conversationId !== null && !turn)
      throw new Error(`not filed where it was said: ${placeOf(exchange)}`)
    const parent = at.get(`${filed.conversationId} ${turn?.parent_seq}`) ?? null
    // Where nothing was said before, what is asked again takes the place of what it was asked after.
    const before = after?.replacedBy === exchange ? after.after : after
    const isElsewhere = verdict === 'joined' && after !== null
    return {
      exchange,
      verdict,
      isAlike: isElsewhere && parent?.dialogue === after?.dialogue,
      isMisplaced: verdict === 'right' && filed.seq > 1 && parent !== before,
      isSuperseded: turn?.superseded ?? false
    }
  })
}

export function scoreOf(judged: Judged[]): Score {
  const count = (is: (one: Judged) => boolean) => judged.filter(is).length
  // A first question asked again is a conversation of its own, and replaces nothing.
  const isReplaced = ({ exchange: { replacedBy } }: Judged) => replacedBy !== null && !replacedBy.isOpening
  const right = count(({ verdict }) => verdict === 'right')
  return {
    requests: judged.length,
    right,
    share: right / judged.length,
    split: count(({ verdict }) => verdict === 'split'),
    joined: count(({ verdict }) => verdict === 'joined'),
    alike: count(({ isAlike }) => isAlike),
    misplaced: count(({ isMisplaced }) => isMisplaced),
    replaced: count(isReplaced),
    superseded: count((one) => isReplaced(one) && one.isSuperseded),
    lost: count((one) => !one.exchange.replacedBy && one.isSuperseded)
  }
}

/** Conversations in which two persons' exchanges were filed. */
export function sharedByPersons(exchanges: Exchange[]): string[] {
  return [...byConversation(exchanges)].flatMap(([id, all]) =>
    new Set(all.map(({ chat }) => chat.person)).size > 1 ? [id] : []
  )
}

/** Conversations with exchanges of two chats in which no assistant says the same. */
export function sharedByStrangers(exchanges: Exchange[]): string[] {
  return [...byConversation(exchanges)].flatMap(([id, all]) => {
    const chats = [...new Set(all.map(({ chat }) => chat))]
    const isStrange = chats.some((one, i) =>
      chats.slice(i + 1).some((other) => [...one.texts].every((text) => !other.texts.has(text)))
    )
    return isStrange ? [id] : []
  })
}

function byConversation(exchanges: Exchange[]): Map<string, Exchange[]> {
  const filed = exchanges.filter(({ filed }) => filed.conversationId !== null)
  return Map.groupBy(filed, ({ filed }) => filed.conversationId as string)
}
