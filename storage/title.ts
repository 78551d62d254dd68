const TITLE_LENGTH = 80

/** A title from the first words of a question: one line of at most 80 characters, or null. */
export function titleOf(text: string | null): string | null {
  const line = text?.trim().replace(/\s+/g, ' ') ?? ''
  if (line.length <= TITLE_LENGTH) return line || null
  const characters = Array.from(line.slice(0, 2 * TITLE_LENGTH + 2)) // a character is one or two units
  if (characters.length <= TITLE_LENGTH) return line
  return `${characters.slice(0, TITLE_LENGTH - 1).join('')}…`
}
