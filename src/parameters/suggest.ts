import {closest, distance} from 'fastest-levenshtein'

/** `; did you mean "x"?` when one of `known` is near enough to be a slip of the finger, else nothing. */
export function didYouMean(word: string, known: readonly string[]): string {
  const near = nearest(word, known)
  return near === undefined ? '' : `; did you mean "${near}"?`
}

/** The known word that was most likely meant. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (known.length === 0 || word === '') return undefined
  const lower = word.toLowerCase()
  const contained = known.filter(name => name.toLowerCase().includes(lower) || lower.includes(name.toLowerCase()))
  const best = closest(lower, [...known])
  if (distance(lower, best.toLowerCase()) <= (best.length < 4 ? 1 : Math.max(2, Math.floor(best.length / 3)))) return best
  return contained.length === 1 ? contained[0] : undefined
}
