/** Up to so many parts each is tried alone at once; with more, halves are tried first. */
const FEW = 4

/**
 * A part of `all` that still holds and from which nothing can be taken away (delta debugging: Zeller and Hildebrandt, 2002, on complements
 * only). `all` holds, nothing does not. `tryAll` says of several sets at once whether they hold, and is never asked of the same set twice.
 */
export async function smallest<T>(
  all: readonly T[],
  tryAll: (sets: readonly (readonly T[])[]) => Promise<readonly boolean[]>,
): Promise<readonly T[]> {
  const known = new Map<string, boolean>([[keyOf(all, []), false]])
  const holding = async (sets: readonly (readonly T[])[]): Promise<readonly boolean[]> => {
    const keys = sets.map(set => keyOf(all, set))
    const unknown = sets.filter((_, index) => !known.has(keys[index] ?? ''))
    const heard = unknown.length > 0 ? await tryAll(unknown) : []
    for (const [index, set] of unknown.entries()) known.set(keyOf(all, set), heard[index] === true)
    return keys.map(key => known.get(key) === true)
  }
  let current = all
  let parts = current.length <= FEW ? current.length : 2
  while (current.length > 1) {
    const chunks = split(current, parts)
    const without = (gone: ReadonlySet<T>) => current.filter(each => !gone.has(each))
    const held = await holding(chunks.map(chunk => without(new Set(chunk))))
    const needless = chunks.filter((_, index) => held[index])
    const [first] = needless
    if (first === undefined) {
      if (parts >= current.length) return current
      parts = Math.min(current.length, parts * 2)
      continue
    }
    // Most of what is needless is so together.
    const rest = without(new Set(needless.flat()))
    const together = needless.length > 1 && rest.length > 0 && (await holding([rest]))[0] === true
    current = together ? rest : without(new Set(first))
    parts = Math.max(Math.min(2, current.length), current.length <= FEW ? current.length : parts - 1)
  }
  return current
}

function keyOf<T>(all: readonly T[], set: readonly T[]): string {
  const members = new Set(set)
  return all.map(each => (members.has(each) ? '1' : '0')).join('')
}

function split<T>(items: readonly T[], parts: number): readonly (readonly T[])[] {
  return Array.from({length: parts}, (_, index) =>
    items.slice(Math.floor((index * items.length) / parts), Math.floor(((index + 1) * items.length) / parts)),
  )
}
