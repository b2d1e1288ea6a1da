import type {Edit, Span} from '../../../model/bundle.ts'
import type {Site} from '../../../proxies/site.ts'
import {COMETD_PATH} from '../../../wire/bayeux.ts'
import {ALL_CHAT} from '../../cascades.ts'
import type {PathFate, RouteFates} from '../../routes.ts'
import {fateOf, isPromised, routesOf} from '../../routes.ts'
import type {Rule} from '../../rule.ts'
import {allOf, blocksAround, directiveAt} from '../../source.ts'

export const rule: Rule = {
  meta: {
    id: 'upstream-location-too-narrow',
    title: 'The route takes only a part of the CometD path',
    concern: 'upstream',
    severity: 'error',
    requirement:
      'The route to GMS takes /genesys/cometd and everything below it: clients append /handshake, /connect and /disconnect, send messages to it with a slash at its end and upgrades to the path itself.',
    remediation: {
      nginx: 'location /genesys/cometd { … } without "=", without "$" and without a slash at its end',
      apache: 'ProxyPass /genesys/cometd … instead of ProxyPassMatch ^/genesys/cometd$, without a slash at the end of either side',
      haproxy: 'path_beg /genesys/cometd instead of path /genesys/cometd',
    },
    references: ['CometD reference, appendMessageTypeToURL (default true)', 'GMS Chat API V2 over CometD, "Handshake with GMS"'],
    breaks: ['upstream-path-intact'],
    mayBreak: ALL_CHAT,
  },
  inspect: ({site, promises}) =>
    routesOf(site).flatMap(routes => {
      const found = narrow(routes)
      if (!found || !isPromised(promises, found.lost.way.request.path)) return []
      const {arriving, lost} = found
      return [
        {
          span: lost.fate === 'refused' ? arriving.way.end.span : lost.way.end.span,
          message: `Expected the route of ${arriving.way.request.path} to take ${lost.way.request.path} too`,
          expected: `${lost.way.request.path} reaches GMS`,
          actual: fateOf(lost.way),
          edits: widened(site, arriving.way.end.span),
        },
      ]
    }),
}

function narrow({bare, suffixed, slashed}: RouteFates): {arriving: PathFate; lost: PathFate} | undefined {
  const all = [bare, suffixed, slashed]
  const arriving = all.find(({fate}) => fate === 'arrives')
  const lost = all.find(({fate}) => fate === 'refused' || fate === 'swallowed')
  return arriving && lost ? {arriving, lost} : undefined
}

/** The route takes the path and everything below it. */
function widened({proxy, config}: Site, span: Span): readonly Edit[] {
  const why = `${COMETD_PATH} and everything below it`
  if (proxy === 'haproxy')
    return allOf(config, /^(?:acl|use_backend|http-request)$/).flatMap(({args}) => {
      const at = args.findIndex(({value}) => value === COMETD_PATH || value === `${COMETD_PATH}/`)
      const fetch = args.slice(0, at).findLast(({value}) => !value.startsWith('-'))
      const path = args[at]
      return [
        ...(path && fetch?.value === 'path' ? [{span: fetch.span, text: 'path_beg', why}] : []),
        ...(path?.value.endsWith('/') === true ? [{span: path.span, text: COMETD_PATH, why}] : []),
      ]
    })
  if (proxy === 'apache') {
    const line = directiveAt(config, span)
    const [pattern] = line?.args ?? []
    const open = pattern?.raw.replace(/\)\$(?="?$)/, '(?:/.*)?)$')
    return line && /^ProxyPassMatch$/i.test(line.name) && pattern && open !== pattern.raw
      ? [{span: pattern.span, text: open ?? '', why}]
      : []
  }
  const location = blocksAround(config, span).findLast(({name}) => name === 'location')
  const [first, second] = location?.args ?? []
  if (!first) return []
  if (first.value === '=' && second) return [{span: {...first.span, end: second.span.start}, text: '', why}]
  const path = second ?? first
  const open = path.raw.replace(/(?:\/?\$|\/)(?="?$)/, '')
  return open === path.raw ? [] : [{span: path.span, text: open, why}]
}
