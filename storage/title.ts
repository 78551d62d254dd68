const TITLE_LENGTH = 80
/** So much of a text is enough, unless most of it is space. In characters. */
const ENOUGH = 400

/** A title from the first words of a question: one line of at most 80 characters, or null. */
export function titleOf(text: string | null): string | null {
  const given = text?.trim() ?? ''
  const beginning = oneLine(given.slice(0, ENOUGH))
  const line = beginning.length > 2 * TITLE_LENGTH + 1 ? beginning : oneLine(given)
  if (line.length <= TITLE_LENGTH) return line || null
  const characters = Array.from(line.slice(0, 2 * TITLE_LENGTH + 2)) // a character is one or two units
  if (characters.length <= TITLE_LENGTH) return line
  return `${characters.slice(0, TITLE_LENGTH - 1).join('')}…`
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ')
}
