/** @typedef {Record<string, string | number | boolean | Record<string, string> | undefined>} Query */

/**
 * The query string: what is undefined is left out, and an object is `name[key]=value`.
 * @param {Query} query
 */
export function searchOf(query) {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue
    if (typeof value !== 'object') search.append(name, String(value))
    else for (const [key, one] of Object.entries(value)) search.append(`${name}[${key}]`, one)
  }
  return search.toString()
}

/**
 * An id as one segment of a path. Nothing that a URL resolves may lead to another call.
 * @param {string} id
 */
export function segment(id) {
  if (typeof id !== 'string' || /^\.{0,2}$/.test(id)) throw new TypeError(`not an id: ${JSON.stringify(id)}`)
  return encodeURIComponent(id)
}
