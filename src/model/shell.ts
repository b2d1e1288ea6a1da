/** A word that no shell changes. */
const PLAIN = /^[\w@%+=:,./-]+$/
/** What must not stand in one line of text as it is: controls, format characters that reorder it, separators but the space. */
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u

/**
 * One word of a command line, as a person would type it into bash, zsh or ksh: plain, in quotes, or `$'…'` (POSIX.1-2024, XCU 2.2.4)
 * where it holds characters that nobody could see. The result is always one line.
 */
export function shellWord(word: string): string {
  if (PLAIN.test(word)) return word
  if (!HIDDEN.test(word)) return `'${word.replaceAll("'", String.raw`'\''`)}'`
  return `$'${[...word].map(escaped).join('')}'`
}

function escaped(character: string): string {
  if (character === "'" || character === '\\') return `\\${character}`
  if (!HIDDEN.test(character)) return character
  if (character === '\n') return String.raw`\n`
  if (character === '\t') return String.raw`\t`
  const code = character.codePointAt(0) ?? 0
  if (code >= 0xd800 && code <= 0xdfff) return '\ufffd'
  const hex = code.toString(16)
  return code < 0x80 ? `\\x${hex.padStart(2, '0')}` : code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}
