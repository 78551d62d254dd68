import { html, useState } from '../preact.js'
import { access, signIn } from '../state/api.js'
import { useStore } from '../state/store.js'

/** Asks for what the service wants to know us by. */
export function SignIn() {
  const given = useStore(access, (state) => state.given)
  const [credential, setCredential] = useState('')
  /** @param {Event} event */
  const submit = (event) => {
    event.preventDefault()
    if (credential.trim() !== '') signIn(credential.trim())
  }
  return html`<main class="sign-in">
    <form onSubmit=${submit}>
      <h1>Turnkeeper</h1>
      <p>${given ? 'The key or token was not accepted.' : 'This server asks who you are.'} It stays in this window, and is forgotten when you close it.</p>
      <label for="credential">API key or token</label>
      <input id="credential" type="password" autocomplete="off" autofocus value=${credential}
        onInput=${(/** @type {any} */ event) => setCredential(event.target.value)} />
      <button type="submit" class="primary">Continue</button>
    </form>
  </main>`
}
