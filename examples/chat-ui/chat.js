// Deep Chat over Turnkeeper. The page sends what is new and says in which conversation; the server keeps the
// history and puts it in front. The address bar has the conversation's id, so a reload finds it again.
import './deepChat.bundle.js'

const api = document.querySelector('meta[name=turnkeeper-url]').content

const chat = document.createElement('deep-chat')
chat.connect = { url: `${api}/chat/completions`, stream: true }
chat.errorMessages = { displayServiceErrorMessages: true }
// On the element itself and before it is shown: Deep Chat fetches a web font unless it has a font by then.
Object.assign(chat.style, { width: '100%', height: '100%', border: '0', fontFamily: 'system-ui, sans-serif' })
chat.textInput = { placeholder: { text: 'Ask something' } }

/** The id of this page's conversation, which is made for the first message. */
async function conversation() {
  if (location.hash === '') {
    const { id } = await json(await fetch(`${api}/conversations`, { method: 'POST' }))
    history.replaceState(null, '', `#${id}`)
  }
  return location.hash.slice(1)
}

async function json(response) {
  const body = await response.json()
  if (!response.ok) throw new Error(body.error.message)
  return body
}

// From Deep Chat's messages to OpenAI's, and from OpenAI's chunks to Deep Chat's. Where no model is named, the
// server's DEFAULT_MODEL answers.
chat.requestInterceptor = async ({ body, headers }) => {
  try {
    const messages = [{ role: 'user', content: body.messages.at(-1).text }]
    return { headers, body: { stream: true, conversation: await conversation(), messages } }
  } catch (err) {
    return { error: err.message }
  }
}
chat.responseInterceptor = ({ choices, error }) =>
  error ? { error: error.message } : { text: choices?.[0]?.delta.content ?? '' }

// The stored turns, newest page first; Deep Chat asks for the next page when somebody scrolls up.
let oldest
chat.loadHistory = async () => {
  if (location.hash === '') return []
  const page = new URLSearchParams({ order: 'desc', limit: 20, ...(oldest && { before_seq: oldest }) })
  const path = `conversations/${encodeURIComponent(location.hash.slice(1))}/turns?${page}`
  const { data, has_more } = await json(await fetch(`${api}/${path}`))
  oldest = data.at(-1)?.seq
  const messages = data
    .reverse()
    .flatMap(({ user_text, assistant_text }) => [
      ...(user_text ? [{ role: 'user', text: user_text }] : []),
      ...(assistant_text ? [{ role: 'ai', text: assistant_text }] : [])
    ])
  return has_more ? [...messages, false] : messages // false: there is more
}

document.body.append(chat)
