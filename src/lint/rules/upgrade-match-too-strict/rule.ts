import type {Edit} from '../../../model/bundle.ts'
import type {Site} from '../../../proxies/site.ts'
import {UPGRADES} from '../../cascades.ts'
import {flagged} from '../../rewrite-rules.ts'
import type {Rule} from '../../rule.ts'
import type {WayToGms} from '../../settings.ts'
import {directiveAt, directivesOf} from '../../source.ts'
import {upgradeEdits} from '../../upgrade-edits.ts'
import type {Spelt} from '../../upgrades.ts'
import {lostParts, upgradesOf} from '../../upgrades.ts'

export const rule: Rule = {
  meta: {
    id: 'upgrade-match-too-strict',
    title: 'The test for an upgrade misses legal spellings',
    concern: 'upgrade',
    severity: 'error',
    requirement:
      'Upgrade and Connection are lists without regard to case (RFC 6455, 4.2.1): Chromium sends "Upgrade", Firefox "keep-alive, Upgrade", Jetty "WebSocket".',
    remediation: {
      nginx: 'Compare without regard to case, and only Upgrade: map $http_upgrade … { ~*^websocket$ …; }; do not compare $http_connection',
      apache:
        'RewriteCond %{HTTP:Upgrade} websocket [NC] and RewriteCond %{HTTP:Connection} upgrade [NC], neither with ^ or $ nor without [NC];\nor upgrade=websocket on the BalancerMember (2.4.47 and newer)',
      haproxy: 'acl websocket req.hdr(Upgrade) -m str -i websocket (-i: any case), and no rule on the exact text of Connection',
    },
    references: [
      'RFC 6455, 4.2.1: case-insensitive, tokens of a list',
      'https://httpd.apache.org/docs/2.4/mod/mod_proxy_wstunnel.html',
      'Measured: without [NC] all browsers get 400',
    ],
    breaks: ['upgrade-handshake'],
    mayBreak: UPGRADES,
  },
  inspect: ({site}) =>
    upgradesOf(site).flatMap(({spelt}) => {
      const failing = spelt.filter(({works}) => works === false)
      const [first] = failing
      if (!first || !spelt.some(({works}) => works === true)) return []
      const part = first.way.end.kind === 'upstream' ? lostParts(first.way as WayToGms)[0] : undefined
      return [
        {
          span: part?.span ?? conditionOf(first) ?? first.way.end.span,
          message: `Expected every spelling of the upgrade to pass, ${written(first)} does not`,
          expected: `${spelt.length} of ${spelt.length} spellings`,
          actual: `${spelt.length - failing.length} of ${spelt.length}: not ${failing.map(written).join('; not ')}`,
          edits: editsOf(site, first),
        },
      ]
    }),
}

function written({connection, upgrade}: Spelt): string {
  return `"Connection: ${connection}", "Upgrade: ${upgrade}"`
}

/** What took the request away: the last thing that decided, unless it is the listener. */
function conditionOf({way: {route}}: Spelt) {
  return route.length > 1 ? route.at(-1) : undefined
}

/** nginx: a map that takes every spelling; HAProxy: a condition that does; Apache: conditions without regard to case or neighbours. */
function editsOf(site: Site, {way}: Spelt): readonly Edit[] {
  if (site.proxy === 'apache') return loosened(site)
  // A table of this name is the one that is too strict, or belongs to somebody else.
  const taken = directivesOf(site.config).some(
    ({name, args}) => name === 'map' && /^\$gms_(upgrade|connection)$/.test(args[1]?.value ?? ''),
  )
  if (way.end.kind !== 'upstream') return []
  return taken ? tolerant(site, way as WayToGms) : upgradeEdits(site, way as WayToGms)
}

function loosened({config}: Site): readonly Edit[] {
  return directivesOf(config)
    .filter(({name, args}) => name.toLowerCase() === 'rewritecond' && /^%\{HTTP:(Upgrade|Connection)\}$/i.test(args[0]?.value ?? ''))
    .flatMap(condition => {
      const [test, pattern, flags] = condition.args
      const alone =
        /^\^?upgrade\$?$/i.exec(pattern?.value ?? '') && /connection/i.test(test?.value ?? '') && /[\^$]/.test(pattern?.value ?? '')
      return [
        ...(alone && pattern ? [{span: pattern.span, text: '"(^|,)\\s*upgrade\\s*(,|$)"', why: 'one token of a list'}] : []),
        ...(/\bNC\b/.test(flags?.value ?? '') ? [] : flagged(condition, 'NC')),
      ]
    })
}

/** The table that makes the header takes a token wherever it stands in the list, in any case. */
function tolerant({config}: Site, way: WayToGms): readonly Edit[] {
  return lostParts(way).flatMap(({span}) => {
    const variable = span && directiveAt(config, span)?.args[1]?.value
    const table = directivesOf(config).find(
      ({name, args}) => name === 'map' && variable !== undefined && args[1]?.value === variable && /^\$http_/i.test(args[0]?.value ?? ''),
    )
    return (table?.block ?? []).flatMap(({name, nameSpan}) => {
      const token = /^"?(?:~\*?)?\^?(websocket|upgrade)\$?"?$/i.exec(name)?.[1]
      if (token === undefined) return []
      return [{span: nameSpan, text: `"~*(^|,)\\s*${token.toLowerCase()}\\s*(,|$)"`, why: 'a token of a list, in any case'}]
    })
  })
}
