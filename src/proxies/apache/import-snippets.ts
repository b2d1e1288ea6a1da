import type {Draft} from '../import-draft.ts'
import type {Directive} from '../syntax.ts'
import type {Rendered} from './import-text.ts'

/** What a rendered balancer section holds. */
const OF_BALANCER = /^\s*(?:BalancerMember\s|ProxySet\s+stickysession=|SSLProxy\w+\s|#\s*upstream: TLS to the nodes)/

/** `snippets.apache` of a rendered file: the lines at the places that have a name. */
export function importSnippets({config, lines, hosts: [host]}: Rendered, draft: Draft): void {
  const entry = config.bundle.files.find(({path}) => path === config.bundle.entry)
  const rows = entry?.text.split('\n') ?? []
  const from = rows.indexOf('# snippets.apache.main')
  if (from !== -1) put('main', rows.slice(from + 1, rows.indexOf('', from)), '', draft)
  if (host) {
    const inside = textOf(host)
    const start = inside.findIndex(row => row.trim() === '# snippets.apache.virtualHost')
    if (start !== -1) put('virtualHost', inside.slice(start + 1), '    ', draft)
  }
  const balancer = lines.find(({name, values, directive}) => name === 'proxy' && values[0] === 'balancer://gms' && directive.block)
  if (!balancer) return
  put(
    'balancer',
    textOf(balancer.directive).filter(row => !OF_BALANCER.test(row)),
    '    ',
    draft,
  )

  /** Lines between those that open and close a section. */
  function textOf({span}: Directive): readonly string[] {
    return (
      config.bundle.files
        .find(({path}) => path === span.file)
        ?.text.slice(span.start, span.end)
        .split('\n')
        .slice(1, -1) ?? []
    )
  }
}

function put(place: string, rows: readonly string[], indent: string, draft: Draft): void {
  const text = rows.filter(row => row.trim() !== '').map(row => (row.startsWith(indent) ? row.slice(indent.length) : row))
  if (text.length > 0) draft.set(`snippets.apache.${place}`, text.join('\n'))
}
