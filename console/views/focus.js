/**
 * Gives the focus to what `find` finds once the page is drawn, where what had it is gone: whoever uses a keyboard
 * would begin again at the top.
 * @param {() => HTMLElement | null | undefined} find
 */
export function keepFocus(find) {
  requestAnimationFrame(() => {
    const { activeElement } = document
    const isLost = !activeElement || activeElement === document.body || activeElement.matches(':disabled')
    if (isLost) find()?.focus()
  })
}

/** Where the chat goes on: the composer, or on a phone, where that would open a keyboard, the messages. */
export function chatPlace() {
  const place = matchMedia('(hover: hover)').matches ? '#message' : 'main .scroller'
  return /** @type {HTMLElement | null} */ (document.querySelector(place))
}
