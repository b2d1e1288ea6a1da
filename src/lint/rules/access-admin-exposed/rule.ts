import type {Edit} from '../../../model/bundle.ts'
import type {Setting, Site} from '../../../proxies/site.ts'
import {loads} from '../../apache-modules.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf} from '../../settings.ts'
import {directiveAt, insertedBelow, siblingsAt, withArguments} from '../../source.ts'

export const rule: Rule = {
  meta: {
    id: 'access-admin-exposed',
    title: 'An administration socket or page is open to everyone',
    concern: 'access',
    severity: 'error',
    requirement:
      'Status pages, statistics and control sockets of the proxy are for its operators: for this machine, or for whoever has a password.',
    remediation: {
      nginx: 'stub_status (or api) in a server of its own that listens on 127.0.0.1, or with allow 127.0.0.1; deny all;',
      apache: 'SetHandler server-status, server-info and balancer-manager with Require local, in a VirtualHost of 127.0.0.1',
      haproxy: 'stats socket … mode 600 (660 with a group), and stats or prometheus-exporter in a frontend that binds 127.0.0.1',
    },
    references: [
      'https://www.haproxy.com/documentation/haproxy-runtime-api/installation/',
      'https://httpd.apache.org/docs/2.4/mod/mod_proxy_balancer.html#balancer_manager',
      'Measured: mode 777 lets any local user read the sessions, with level admin he repoints a server',
    ],
    breaks: ['access-admin-closed'],
    mayBreak: [],
    provenBy: {
      by: 'binary',
      because: 'a socket is no traffic: any local user connects to it and asks "show sess"',
      on: ['fires.haproxy.cfg', 'fires.admin.haproxy.cfg', 'fires.tcp.haproxy.cfg'],
    },
  },
  inspect({site}) {
    return site.consoles
      .filter(({open}) => open)
      .map(({what, changes, setting}) => ({
        span: placeOf(setting),
        message: `Expected the ${what} to be closed to strangers: it ${changes ? 'changes' : 'shows'} the state of the proxy`,
        expected: isMode(setting.value) ? 'mode 600, or 660 with a group' : 'open to 127.0.0.1 alone',
        actual: inForce(setting),
        edits: closed(site, setting),
      }))
  },
}

/** Of a socket in the file system. */
function isMode(value: string): boolean {
  return /^[0-7]{3,4}$/.test(value)
}

/** For this machine alone: in the block of the page, or at the address of the socket. */
function closed({proxy, config}: Site, setting: Setting<string>): readonly Edit[] {
  if (isMode(setting.value)) return setting.put('600')
  const line = setting.span && directiveAt(config, setting.span)
  if (!line || proxy === 'nginx') return setting.put('')
  const why = 'for this machine alone'
  if (proxy === 'haproxy') {
    if (line.args[0]?.value === 'socket') return setting.put('/run/haproxy/admin.sock mode 600')
    return line.name === 'stats' ? insertedBelow(config, line.span, ['stats http-request deny unless LOCALHOST'], why) : []
  }
  const own = siblingsAt(config, line.span).find(({name}) => name.toLowerCase() === 'require')
  const who = loads(config, 'authz_host') ? 'local' : 'all denied'
  return own ? withArguments(own, who, why) : insertedBelow(config, line.span, [`Require ${who}`], why)
}
