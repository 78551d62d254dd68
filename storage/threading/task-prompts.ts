import type { JsonObject } from '../contract.ts'
import { textOf } from '../json-value.ts'

/**
 * What chat UIs ask a model in the background, to label a chat: titles, tags, proposals for what to type or search next.
 * Each is the fixed beginning of a prompt in its source, see docs/threading.md.
 */

/** A message of a request that has no answer in it; it quotes the chat, or what was asked in it. */
const ALONE = [
  // Open WebUI
  /^### Task:\s+(Generate (a concise|1-3 broad tags|a detailed prompt for am? image)|Suggest 3-5 relevant follow-up|Analyze the chat history to determine the necessity|You are an autocompletion system)/,
  /^Create a concise, 3-5 word (title|phrase) /,
  /^Your task is to reflect the speaker's likely facial expression through a fitting emoji/,
  // LibreChat
  /^Provide a concise, 5-word-or-less title for the conversation, using/,
  /^Analyze this conversation and provide:\s+1\. The detected language of the conversation/,
  // Chatbox
  /^Based on the chat history, give this conversation a name\./,
  // Continue
  /^Given the following\.\.\. please reply with a title for the chat/,
  // opencode
  /^Generate a title for this conversation:/,
  // Crush
  /^Generate a concise title for the following content:/,
  // Codex
  /^Generate a concise, single-line task title of at most 36 characters/
]

/** The instructions to the model. */
const INSTRUCTIONS = [
  // Hugging Face Chat UI
  /^You are a chat thread titling assistant\./,
  // LobeChat
  /^You are a professional conversation summarizer\. Generate a concise title/,
  /^你是一名擅长会话的助理，你需要将用户的会话总结为/,
  // Cherry Studio
  /^Summarize the conversation into a title in /,
  /^You are an assistant skilled in conversation\. You need to summarize the user's conversation into a title/,
  // big-AGI
  /^You are an AI conversation titles assistant/,
  // opencode
  /^You are a title generator\. You output ONLY a thread title\./,
  // Crush
  /^You will generate a short title based on the first message/,
  // Qwen Code
  /^Generate a concise, sentence-case title \(3-7 words\)/,
  /^You are a security classifier for an AI coding agent operating in auto mode/,
  /^You are performing a managed memory dream/,
  // Copilot
  /^You are an expert in crafting pithy titles for chatbot conversations\./,
  // OpenHands
  /^You are a helpful assistant that generates concise, descriptive titles for conversations/
]

/** The last message, behind the chat itself. */
const LAST = [
  // NextChat
  /^Please generate a four to five word title summarizing our conversation without any lead-in/,
  /^使用四到五个字直接返回这句话的简要主题/,
  // Qwen Code
  /^\[SUGGESTION MODE: Suggest what the user might naturally type next/,
  /^Managed memory has TWO directories\. Choose which one to write each memory into/,
  // Zed
  /^Generate a concise 3-7 word title for this conversation, omitting punctuation/
]

/** Open WebUI quotes the chat like this, whatever an administrator has made of the prompt's first sentences. */
const QUOTED = /^\s*### Task:[\s\S]*<chat_history>\s*(USER|ASSISTANT): /

/** Whether a request asks for a label of a chat and is no part of one. */
export function isTaskPrompt(entries: JsonObject[]): boolean {
  const users = entries.filter(({ role }) => role === 'user')
  const last = begins(users.at(-1))
  if (LAST.some((prompt) => prompt.test(last))) return true
  if (entries.some(({ role, type = 'message' }) => role === 'assistant' || type !== 'message')) return false
  const [first] = entries
  const instructs = first?.role === 'system' || first?.role === 'developer'
  if (instructs && INSTRUCTIONS.some((prompt) => prompt.test(begins(first)))) return true
  // Codex says before it where it works.
  const isAlone = users.some((message) => ALONE.some((prompt) => prompt.test(begins(message))))
  return isAlone || (entries.length === 1 && isQuoting(first))
}

function begins(message: JsonObject | undefined): string {
  return (textOf(message?.content, '') ?? '').slice(0, 1_000).trimStart()
}

function isQuoting(message: JsonObject | undefined): boolean {
  return QUOTED.test(textOf(message?.content, '') ?? '')
}
