import type {Directive} from '../syntax.ts'
import {isProxied} from './nodes.ts'
import type {Placed} from './parse.ts'
import {isNamed} from './parse.ts'
import type {Variables} from './variables.ts'

const PLAIN =
  /^(?:proxy:)?(?:https?|wss?|h2c?):\/\/(?:<[^<>\s]*>|\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)(?::(?:<[^<>\s]*>|\d{1,5}))?(?=[/?#]|%\{REQUEST_URI\}|(\$\d)|$)/i
const GROUP = /^(?:proxy:)?balancer:\/\/[a-z0-9]/i
/** Text that could turn the host in front of it into a user name. */
const AT_SIGN = /@|\\x40|%40|%\{(?:SERVER_ADMIN|ENV:)|\$\{/i
/** What selects mod_proxy without naming it: a handler, or a media type that is taken for one. */
const PROXY_HANDLER = /proxy:(?:https?|wss?|h2c?|balancer|unix|fcgi|ajp|scgi|uwsgi|ftp):/i
const ELSEWHERE = 'where it leads cannot be said before it runs: write host and port plainly'

/** Says why a directive leads to something that cannot be moved into the sandbox; `undefined` when it can, or leads nowhere. */
export function leadsElsewhere({directive}: Placed, all: readonly Placed[], variables: Variables): string | undefined {
  const values = directive.args.map(({value}) => variables.resolve(value).text)
  if (isNamed(directive, 'SetHandler')) {
    const [handler = ''] = values
    if (/[%$]\{/.test(handler)) return 'a handler that is computed cannot be judged'
    return /^proxy:/i.test(handler) && !isFollowed(handler, all, variables) ? ELSEWHERE : undefined
  }
  if (isNamed(directive, 'RewriteRule')) {
    const flags = values[2] ?? ''
    if (/[[,]\s*(?:H|handler|T|type)\s*=[^,\]]*(?:proxy|[%$])/i.test(flags)) return 'a handler that is computed cannot be judged'
    return isProxied(directive) && !isFollowed(values[1] ?? '', all, variables) ? ELSEWHERE : undefined
  }
  if (isNamed(directive, 'BalancerMember'))
    return values.slice(0, 2).some(value => isFollowed(value, all, variables)) ? undefined : ELSEWHERE
  if (isNamed(directive, 'ProxyPass', 'ProxyPassMatch')) {
    const target = targetOf(values)
    return target === undefined || target === '!' || isFollowed(target, all, variables) ? undefined : ELSEWHERE
  }
  return values.some(value => PROXY_HANDLER.test(value)) ? 'a handler that is computed cannot be judged' : undefined
}

/** The second word, or the first where the section around it names the path (then settings follow). */
function targetOf(values: readonly string[]): string | undefined {
  const [first, second] = values[0] === '~' ? values.slice(1) : values
  return second === undefined || /^(?:\w+=|nocanon$|interpolate$|noquery$)/i.test(second) ? first : second
}

function isFollowed(target: string, all: readonly Placed[], variables: Variables): boolean {
  if (GROUP.test(target)) return true
  const match = PLAIN.exec(target)
  if (!match) return false
  // a part of the request directly behind the host is harmless as long as nobody can put an @ there
  return match[1] === undefined || !all.some(({directive}) => isRewrite(directive) && mayHoldAt(directive, variables))
}

function isRewrite(directive: Directive): boolean {
  return isNamed(directive, 'RewriteRule', 'RewriteCond')
}

function mayHoldAt({args}: Directive, variables: Variables): boolean {
  return args.some(({value}) => AT_SIGN.test(variables.resolve(value).text))
}
