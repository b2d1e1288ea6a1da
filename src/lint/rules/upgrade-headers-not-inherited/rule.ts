import type {Edit, Span} from '../../../model/bundle.ts'
import type {Directive, ParsedConfig} from '../../../proxies/syntax.ts'
import type {SentHeader} from '../../../proxies/site.ts'
import {UPGRADES} from '../../cascades.ts'
import type {Rule} from '../../rule.ts'
import type {WayToGms} from '../../settings.ts'
import {insertedBefore} from '../../source.ts'
import {lostParts, upgradesOf} from '../../upgrades.ts'

export const rule: Rule = {
  meta: {
    id: 'upgrade-headers-not-inherited',
    title: 'A header line of an inner block switches off the upgrade headers of the outer one',
    concern: 'upgrade',
    severity: 'error',
    requirement:
      'proxy_set_header lines are inherited only by a block that has none of its own: one line in a location, and all lines of the server are gone.',
    remediation: {
      nginx:
        'Repeat proxy_set_header Upgrade and proxy_set_header Connection in the location that has header lines of its own, or move its lines to the server',
    },
    references: [
      'https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_set_header: "inherited … if and only if there are no proxy_set_header directives defined on the current level"',
      'RFC 6455, 4.2.1',
    ],
    breaks: ['upgrade-handshake', 'upgrade-chat', 'upgrade-negotiated'],
    mayBreak: [...UPGRADES, 'forwarding-host', 'forwarding-scheme', 'forwarding-client-address', 'forwarding-client-not-forgeable'],
  },
  inspect: ({site}) =>
    upgradesOf(site).flatMap(({spelt}) =>
      spelt.flatMap(({way}) => {
        if (way.end.kind !== 'upstream') return []
        const [hidden] = lostParts(way as WayToGms).filter((part): part is SentHeader => 'overshadowed' in part)
        if (!hidden?.overshadowed) return []
        const {by, span} = hidden.overshadowed
        return [
          {
            span: by,
            message: `Expected ${hidden.directive} of line ${span.line} to hold here, a header line of this block switches it off`,
            expected: 'Upgrade and Connection repeated beside it',
            actual: `the header lines around line ${span.line} are not inherited`,
            edits: repeated(site.config, hidden.overshadowed),
          },
        ]
      }),
    ),
}

/** The lines further out that the inner block lacks, put before its first one. */
function repeated(config: ParsedConfig, {span, by}: NonNullable<SentHeader['overshadowed']>): readonly Edit[] {
  const blocks = config.files.flatMap(({directives}) => blocksOf(directives))
  const linesBeside = ({file, start}: Span) =>
    (blocks.find(lines => lines.some(line => line.span.file === file && line.span.start === start)) ?? []).filter(
      ({name}) => name === 'proxy_set_header',
    )
  const own = new Set(linesBeside(by).map(headerOf))
  const lost = linesBeside(span).filter(line => !own.has(headerOf(line)))
  const lines = lost.map(({name, args}) => `${[name, ...args.map(({raw}) => raw)].join(' ')};`)
  return lines.length === 0 ? [] : insertedBefore(config, by, lines, 'header lines of an inner block replace those of the outer one')
}

function blocksOf(directives: readonly Directive[]): readonly (readonly Directive[])[] {
  return [directives, ...directives.flatMap(({block}) => (block ? blocksOf(block) : []))]
}

function headerOf({args}: Directive): string {
  return args[0]?.value.toLowerCase() ?? ''
}
