/** C0 and C1 controls but for tab and line feed, and the characters that reorder or hide text on a terminal. */
// eslint-disable-next-line no-control-regex -- these are what a hostile answer would use
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/g
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/**
 * Text that came from outside (a proxy's answer, a log, a file name) made harmless: no escape sequence reaches the terminal, and every
 * character may stand in XML. What was there stays visible: escape becomes `␛`, other controls their picture or `\u{…}`.
 */
export function harmless(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replace(UNSAFE, character => {
      const code = character.charCodeAt(0)
      if (code < 0x20) return String.fromCharCode(0x2400 + code)
      if (code === 0x7f) return '␡'
      return `\\u{${code.toString(16)}}`
    })
    .replace(LONE_SURROGATE, '\ufffd')
    .replace(/[\ufffe\uffff]/g, '\ufffd')
}

/** The same on one line: a name or a place, whatever a file is called. */
export function oneLine(text: string): string {
  return harmless(text).replaceAll('\n', '␊').replaceAll('\t', '␉')
}

/**
 * Text whose lines the runner of GitHub Actions takes for none of its commands, should it stand in a log: `::name::` behind white space, and
 * `##[name]` anywhere (actions/runner, ActionCommand.cs).
 */
export function withoutCommands(text: string): string {
  return text.replace(/^([^\S\n]*):(?=:)/gm, '$1: ').replaceAll('##[', '# #[')
}

/** ms → `18 ms`, `4.2 s`, `38 s`, `2 min 5 s`: three digits at most, for people. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** Breaks text at white space into lines of at most `width` characters; a longer word is cut. Line feeds stay. */
export function wrap(text: string, width: number): readonly string[] {
  return text.split('\n').flatMap(line => wrapLine(line.replaceAll('\t', '    '), Math.max(20, width)))
}

function wrapLine(line: string, width: number): readonly string[] {
  const lines: string[] = []
  let current = ''
  for (const word of line.split(/(?<=\s)(?=\S)/)) {
    if (current !== '' && columns(current) + columns(word.trimEnd()) > width) {
      lines.push(current.trimEnd())
      current = ''
    }
    current += word
    while (columns(current.trimEnd()) > width) {
      const characters = [...current]
      lines.push(characters.slice(0, width).join(''))
      current = characters.slice(width).join('')
    }
  }
  lines.push(current.trimEnd())
  return lines
}

/** Terminal columns of plain text: one for each code point, two for the wide ones of East Asia and emoji. */
export function columns(text: string): number {
  let total = 0
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0
    const wide =
      (code >= 0x1100 && code <= 0x115f) ||
      (code >= 0x2e80 && code <= 0xa4cf) ||
      (code >= 0xac00 && code <= 0xd7a3) ||
      (code >= 0xf900 && code <= 0xfaff) ||
      (code >= 0xfe30 && code <= 0xfe6f) ||
      (code >= 0xff00 && code <= 0xff60) ||
      code >= 0x1f300
    total += wide ? 2 : 1
  }
  return total
}

/** `text` filled with spaces to `width`; cut with an ellipsis when longer. */
export function fit(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const size = columns(text)
  if (size > width) return `${[...text].slice(0, Math.max(0, width - 1)).join('')}…`
  return side === 'left' ? text + ' '.repeat(width - size) : ' '.repeat(width - size) + text
}
