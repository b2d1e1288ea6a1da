import type {Promises} from '../../../model/report.ts'
import type {Site} from '../../../proxies/site.ts'
import {BROWSER_COOKIE} from '../../../wire/bayeux.ts'
import {cookieAffinity} from '../../affinity-edits.ts'
import {ALL_CHAT} from '../../cascades.ts'
import type {Rule, RuleDraft} from '../../rule.ts'
import type {Balanced} from '../../sessions.ts'
import {balanced, isHashed, isLearned, isSetByGms, OVER_HTTP} from '../../sessions.ts'
import {placeOf} from '../../settings.ts'
import {replacedIn} from '../../source.ts'

export const rule: Rule = {
  meta: {
    id: 'affinity-key-not-routable',
    title: 'The affinity cookie does not name the node in the form the proxy reads',
    concern: 'affinity',
    severity: 'error',
    requirement:
      'What the proxy reads from the cookie is the name of a node: a prefix before a cookie that GMS really sets, or what follows the dot in the value.',
    remediation: {
      apache:
        'Put a dot before the route: Header add Set-Cookie "GMS_NODE=.%{BALANCER_WORKER_ROUTE}e; …"; with JSESSIONID give each Jetty its route as workerName.\nBAYEUX_BROWSER never carries a route: use a cookie of the proxy',
      haproxy: 'cookie GMS_NODE insert indirect nocache httponly instead of prefix: GMS does not set that cookie',
    },
    references: [
      'HAProxy configuration manual, "cookie": prefix needs a cookie that the application sets',
      'Apache mod_proxy_balancer: the route is what follows the first dot of the value',
      'https://docs.genesys.com/Documentation/GMS/latest/Deployment/ConfiguringApacheLoadBalancer',
    ],
    breaks: ['affinity-same-node'],
    mayBreak: ALL_CHAT,
  },
  inspect: ({site, promises}) =>
    balanced({site, promises}, ...OVER_HTTP).flatMap(each =>
      promises.source['affinity'] === 'parameters'
        ? saidToHaveNone(each, site, promises)
        : [...neverSet(each), ...withoutRoute(each, site), ...withoutDot(each, site)],
    ),
}

function neverSet({upstream: {affinity}}: Balanced): readonly RuleDraft[] {
  const {kind, cookie, setting} = affinity
  if (kind !== 'prefixed-cookie' || cookie === undefined || isSetByGms(cookie)) return []
  return [
    {
      span: placeOf(setting),
      message: `Expected a cookie that GMS sets, a prefix before ${cookie} is never written`,
      expected: 'cookie GMS_NODE insert indirect nocache httponly',
      actual: `${setting.text}: GMS sets no ${cookie}`,
      edits: setting.put('GMS_NODE insert indirect nocache httponly'),
    },
  ]
}

/** The deployment says itself that its nodes put no route into the cookie: Jetty without workerName. */
function saidToHaveNone(each: Balanced, site: Site, {unroutedCookie}: Promises): readonly RuleDraft[] {
  const {affinity, nodes} = each.upstream
  const {kind, cookie, setting} = affinity
  const routed = kind === 'application-cookie' && !isLearned(affinity) && !isHashed(affinity)
  if (!routed || cookie !== unroutedCookie || !nodes.some(({key}) => key)) return []
  return [
    {
      span: placeOf(setting),
      message: `Expected a cookie that names a node, ${cookie} of these nodes ends with no route`,
      expected: `the workerName of each Jetty in ${cookie} (upstream.nodes[].route says it), or a cookie of the proxy`,
      actual: setting.text,
      edits: site.proxy === 'apache' ? cookieAffinity(site, each) : [],
    },
  ]
}

/** CometD makes up BAYEUX_BROWSER itself: no part of it is the name of a node. */
function withoutRoute(each: Balanced, site: Site): readonly RuleDraft[] {
  const {affinity, nodes} = each.upstream
  const {kind, cookie, setting} = affinity
  const routed = kind === 'application-cookie' && !isLearned(affinity) && !isHashed(affinity)
  if (!routed || cookie !== BROWSER_COOKIE || !nodes.some(({key}) => key)) return []
  return [
    {
      span: placeOf(setting),
      message: `Expected a cookie that names a node, ${cookie} is a random number of CometD`,
      expected: 'a cookie that the proxy sets, with the route of the node',
      actual: setting.text,
      edits: site.proxy === 'apache' ? cookieAffinity(site, each) : [],
    },
  ]
}

/** httpd takes what follows the dot; without one the cookie names nothing. */
function withoutDot({upstream: {affinity}, ways}: Balanced, {config}: Site): readonly RuleDraft[] {
  const {kind, cookie, setting} = affinity
  if (kind !== 'inserted-cookie' || cookie === undefined || config.bundle.files.some(({text}) => /stickysessionsep/i.test(text))) return []
  return ways.flatMap(({addedAnswers}) =>
    addedAnswers
      .filter(({name, value}) => name === 'set-cookie' && value.includes(`${cookie}=%{BALANCER_WORKER_ROUTE}e`))
      .map(added => ({
        span: placeOf(added),
        message: `Expected a dot before the route in ${cookie}: what follows the dot is the route, this value has none`,
        expected: `${cookie}=.%{BALANCER_WORKER_ROUTE}e`,
        actual: `${cookie}=%{BALANCER_WORKER_ROUTE}e, read by ${setting.text}`,
        edits: replacedIn(config, placeOf(added), /=(?=%\{BALANCER_WORKER_ROUTE\}e)/g, '=.', 'the dot before the route'),
      })),
  )
}
