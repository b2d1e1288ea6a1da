import {cookieAffinity} from '../../affinity-edits.ts'
import {ALL_CHAT} from '../../cascades.ts'
import {UPLOAD} from '../../requests.ts'
import type {Inspection, Rule, RuleDraft} from '../../rule.ts'
import type {Balanced} from '../../sessions.ts'
import {balanced, choosable, named, OVER_HTTP} from '../../sessions.ts'
import {placeOf, titlesOf, waysToGms} from '../../settings.ts'

export const rule: Rule = {
  meta: {
    id: 'affinity-missing',
    title: 'Several nodes, and nothing keeps a session on one of them',
    concern: 'affinity',
    severity: 'error',
    requirement:
      'GMS nodes share no Bayeux sessions: "long polls need to end up on the same GMS node". Each request of a session, files too, reaches the node of its handshake.',
    remediation: {
      nginx:
        'map $cookie_GMS_NODE $gms_node { default $cookie_GMS_NODE; "" $request_id; } and hash $gms_node consistent; in the upstream,\nand give the key to the browser: add_header Set-Cookie "GMS_NODE=…" always; (sticky cookie GMS_NODE; from 1.29.6)',
      apache:
        'ProxySet stickysession=GMS_NODE in the balancer, route= on every BalancerMember, and\nHeader add Set-Cookie "GMS_NODE=.%{BALANCER_WORKER_ROUTE}e; Path=/; HttpOnly" env=BALANCER_ROUTE_CHANGED',
      haproxy: 'cookie GMS_NODE insert indirect nocache httponly in the backend, and cookie NAME on every server',
    },
    references: [
      'GMS Chat API V2 over CometD, prerequisites: sticky sessions',
      'Measured: 0 of 20 clients without affinity; one of them made 2,607 requests in 5 s',
      'https://docs.genesys.com/Documentation/GMS/8.5.2/API/ChatAPIDepNotes',
    ],
    breaks: [],
    breaksOneOf: ['affinity-same-node', 'affinity-upload'],
    mayBreak: ALL_CHAT,
  },
  inspect: inspection => [...unbound(inspection), ...filesElsewhere(inspection)],
}

function unbound(inspection: Inspection): readonly RuleDraft[] {
  return balanced(inspection, ...OVER_HTTP, UPLOAD)
    .filter(({upstream}) => upstream.affinity.kind === 'none' && !hasCookieValues(upstream))
    .map(({upstream, ways}) => ({
      edits: cookieAffinity(inspection.site, {upstream, ways}),
      span: placeOf(upstream.affinity.setting),
      message: `Missing affinity: ${titlesOf(ways)} of one session may reach ${named(choosable(upstream))}`,
      expected: 'every request of a session at one node',
      actual: `${upstream.affinity.setting.text}: ${choosable(upstream).length} nodes, whichever comes next`,
    }))
}

/** Values of a cookie that nothing inserts are a rule of their own. */
function hasCookieValues({nodes}: Balanced['upstream']): boolean {
  return nodes.some(({key}) => key !== undefined && /^(server\b.*)?cookie\b/.test(key.directive))
}

/** Files go to one node while chats are on several. */
function filesElsewhere({site, promises}: Inspection): readonly RuleDraft[] {
  const chats = balanced({site, promises}, ...OVER_HTTP)
  return waysToGms(site, UPLOAD).flatMap(({listener, end}) => {
    const own = choosable(end.upstream)
    const home = chats.find(({ways}) => ways.some(way => way.listener === listener))
    if (!home || own.length !== 1 || own[0]?.port === undefined) return []
    const missed = choosable(home.upstream).filter(({address}) => address !== own[0]?.address)
    if (missed.length === 0 || missed.length === choosable(home.upstream).length) return []
    return [
      {
        span: end.span,
        message: `Expected files at the node of their session, they all go to ${own[0].address}`,
        expected: `the same choice of node as for the chat (${home.upstream.name})`,
        actual: `sessions are on ${named(choosable(home.upstream))}, files on ${own[0].address}`,
        edits: site.proxy === 'nginx' ? end.target.put(home.ways[0]?.end.target.value ?? '') : [],
      },
    ]
  })
}
