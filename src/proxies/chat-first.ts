/**
 * Listeners in the order that checks take them: one that serves the chat before one that does not (`serves`, more is better), and of two that
 * do, the one that speaks TLS: what a deployment offers both ways, its customers use over https.
 */
export function chatFirst<L extends {tls: boolean; serves: number}>(listeners: readonly L[]): readonly L[] {
  return [...listeners].sort((a, b) => b.serves - a.serves || Number(b.tls) - Number(a.tls))
}
