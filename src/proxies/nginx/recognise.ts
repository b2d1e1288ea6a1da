/** What only nginx writes, most telling first. */
const MARKS: readonly {pattern: RegExp; weight: number}[] = [
  {pattern: /^[ \t]*(?:http|events|stream|server)\s*\{/m, weight: 0.6},
  {pattern: /^[ \t]*upstream\s+\S+\s*\{/m, weight: 0.3},
  {pattern: /^[ \t]*location\s+[^;{]+\{/m, weight: 0.3},
  {pattern: /^[ \t]*map\s+\S+\s+\$\w+\s*\{/m, weight: 0.3},
  {pattern: /^[ \t]*(?:proxy_pass|proxy_set_header|proxy_http_version|listen|server_name|worker_connections)\s[^;{}]*;/m, weight: 0.4},
]

/** How much a text looks like nginx: 0 … 1. */
export function recognise(path: string, text: string): number {
  const name = /(?:^|\/)nginx[^/]*\.conf$/.test(path) ? 0.2 : 0
  const content = MARKS.reduce((sum, {pattern, weight}) => sum + (pattern.test(text) ? weight : 0), 0)
  return content === 0 ? name / 2 : Math.min(1, name + content)
}
