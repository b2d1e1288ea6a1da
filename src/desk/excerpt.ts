const REDACTED = '‹redacted›'
/** What a person reads of one message; what a client may send is without limit. */
const MOST = {characters: 4000, depth: 24, values: 2000} as const

/** A copy of JSON for a person to read: long texts are cut, what lies too deep or is too much is left out, fields named in `secrets` are redacted. */
export function excerpt(value: unknown, secrets: ReadonlySet<string> = new Set()): unknown {
  let left: number = MOST.values
  const copy = (original: unknown, name: string, depth: number): unknown => {
    left -= 1
    if (typeof original === 'string') return secrets.has(name.toLowerCase()) ? REDACTED : cut(original)
    if (typeof original !== 'object' || original === null) return original
    if (left <= 0 || depth >= MOST.depth) return '…'
    if (Array.isArray(original)) {
      const shown = original.slice(0, left).map(item => copy(item, '', depth + 1))
      return shown.length < original.length ? [...shown, '…'] : shown
    }
    const entries = Object.entries(original)
    const shown = entries.slice(0, left).map(([key, inner]) => [cut(key), copy(inner, key, depth + 1)] as const)
    return Object.fromEntries(shown.length < entries.length ? [...shown, ['…', '…']] : shown)
  }
  return copy(value, '', 0)
}

function cut(text: string): string {
  return text.length > MOST.characters ? `${text.slice(0, MOST.characters)}… (${text.length} characters)` : text
}
