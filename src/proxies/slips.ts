import {distance} from 'fastest-levenshtein'

/** Words longer than this may differ by two letters from one that exists, shorter ones by one. */
const LONG = 9
const SHORTEST = 5

/** The known word that was meant when `word` is a slip of the finger; short words are too close to others to tell. */
export function slipOf(word: string, known: Iterable<string>): string | undefined {
  if (word.length < SHORTEST) return undefined
  let best = {word: undefined as string | undefined, far: word.length >= LONG ? 3 : 2}
  for (const candidate of known) {
    if (candidate.length < SHORTEST || Math.abs(candidate.length - word.length) >= best.far) continue
    const far = isSwapped(word, candidate) ? 1 : distance(word, candidate)
    if (far < best.far) best = {word: candidate, far}
  }
  return best.word
}

/** Two neighbours that changed places: one slip, not two. */
function isSwapped(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  const at = [...a].findIndex((letter, index) => letter !== b[index])
  return at >= 0 && a.slice(0, at) + (a[at + 1] ?? '') + (a[at] ?? '') + a.slice(at + 2) === b
}
