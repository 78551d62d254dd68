/** To sort marks on one letter takes time that grows with the square of their number; no writing has so many. */
const MARKS = /([\p{M}\uff9e\uff9f]{32})[\p{M}\uff9e\uff9f]+/gu

/** The text with no more than 32 marks on a letter, before it is brought into a normal form. */
export function withFewMarks(text: string): string {
  return text.replace(MARKS, '$1')
}
