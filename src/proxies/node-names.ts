import type {NodeParameters} from '../parameters/schema.ts'

/**
 * What the nodes are called in cookies and logs: the name that was given, else the first label of the host (`gms1` of
 * `gms1.network.local`) when all are names and differ, else `node1`, `node2`, …
 */
export function nodeNames(nodes: readonly NodeParameters[]): readonly string[] {
  const labels = nodes.map(({name, host}) => name ?? host.split('.')[0] ?? '')
  const usable =
    new Set(labels.map(label => label.toLowerCase())).size === labels.length &&
    labels.every(label => /^[A-Za-z][A-Za-z0-9_-]{0,63}$/.test(label))
  if (usable) return labels
  const given = new Set(nodes.flatMap(({name}) => name?.toLowerCase() ?? []))
  let number = 0
  const next = (): string => {
    number++
    return given.has(`node${number}`) ? next() : `node${number}`
  }
  return nodes.map(({name}) => name ?? next())
}
