const SECTION = /^(global|defaults(\s+\S+)?|(frontend|backend|listen|resolvers|peers|userlist)\s+\S+)\s*(#.*)?$/
const DIRECTIVE =
  /^(mode\s+(http|tcp)|bind\s+\S+|server\s+[^\s{]+\s+\S+|option\s+\S+|acl\s+\S+\s+\S+|(default|use)_backend\s+\S+|timeout\s+\S+\s+\S+|balance\s+\S+|cookie\s+\S+|maxconn\s+\d+|http-(request|response|check|reuse)\s+\S+|default-server\s+\S+|stats\s+\S+|retries\s+\d+|log\s+\S+)/

/** 0 … 1: the share of lines that read as HAProxy's; lines that end in `;`, `{` or are in `<…>` speak against it. */
export function recognise(path: string, text: string): number {
  const lines = text
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))
  const named = /(^|\/)haproxy[^/]*\.cfg$/.test(path)
  if (lines.length === 0) return named ? 0.5 : 0
  const foreign =
    lines.filter(line => /[;{}]\s*(#.*)?$/.test(line) && !/\s\}\s*$/.test(line)).length +
    lines.filter(line => /^<\/?[A-Z][A-Za-z]+.*>/.test(line)).length
  const sections = lines.filter(line => SECTION.test(line)).length
  const own = sections + lines.filter(line => DIRECTIVE.test(line)).length
  const share = Math.max(0, own - 2 * foreign) / lines.length
  return Math.min(1, share * (sections > 0 ? 1 : 0.8) + (named ? 0.3 : 0))
}
