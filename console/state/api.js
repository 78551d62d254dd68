import { createClient, TurnkeeperError } from '../../client/index.js'
import { createStore } from './store.js'

const KEY = 'turnkeeper-credential'

/** Whether the service asks who we are. The credential stays in this window and goes with it. */
export const access = createStore({ needed: false, given: sessionStorage.getItem(KEY) !== null })

export const client = createClient({
  baseUrl: new URL('../../v1', import.meta.url).href,
  apiKey: () => sessionStorage.getItem(KEY) ?? undefined
})

/** @param {string | null} credential An API key or a token; null forgets it. */
export function signIn(credential) {
  if (credential === null) sessionStorage.removeItem(KEY)
  else sessionStorage.setItem(KEY, credential)
  location.reload() // what was shown belongs to whoever was here before
}

/** True for the error of a service that does not know us; the page then asks for a credential. @param {unknown} err */
export function isRefused(err) {
  if (!(err instanceof TurnkeeperError) || err.status !== 401) return false
  access.set({ needed: true })
  return true
}
