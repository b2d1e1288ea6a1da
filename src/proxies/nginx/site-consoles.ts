import type {Console} from '../site.ts'
import {locationsIn} from './site-match.ts'
import type {Layout, Scope} from './site-scope.ts'
import {inserted, setting, textOf} from './site-setting.ts'

/** Pages of nginx about itself, and of modules that are often built in. */
const PAGES: Readonly<Record<string, string>> = {
  stub_status: 'stub_status',
  api: 'api',
  status: 'status page',
  upstream_conf: 'upstream_conf',
  vhost_traffic_status_display: 'traffic status',
  check_status: 'check status',
}

export function consolesOf({servers}: Layout): readonly Console[] {
  return servers
    .flatMap(server => places(server))
    .flatMap(scope =>
      scope.lines.flatMap((line): readonly Console[] => {
        const what = PAGES[line.name]
        if (what === undefined || (line.name === 'status' && line.block)) return []
        const guards = scope.holder('allow', 'deny')?.lines.some(({name, args}) => name === 'deny' && args[0]?.value === 'all') === true
        const asks = ['auth_basic', 'auth_request', 'auth_jwt'].some(name => {
          const value = scope.holder(name)?.first(name)?.args[0]?.value
          return value !== undefined && value !== 'off'
        })
        const inner = scope.has('internal') || localOnly(scope)
        return [
          {
            what,
            open: !guards && !asks && !inner,
            changes: line.name === 'upstream_conf' || (line.name === 'api' && line.args.some(({value}) => value === 'write=on')),
            setting: setting({
              value: textOf(line),
              directive: line.name,
              text: textOf(line),
              span: line.span,
              home: scope.home,
              put: () => inserted(scope, 'allow 127.0.0.1;', 'deny all;'),
            }),
          },
        ]
      }),
    )
}

function places(scope: Scope): readonly Scope[] {
  return [scope, ...locationsIn(scope).flatMap(({scope: inner}) => places(inner))]
}

/** The server can only be reached from this machine. */
function localOnly(scope: Scope): boolean {
  const lines = scope.up('server')?.all('listen') ?? []
  return lines.length > 0 && lines.every(({args}) => /^(?:127\.|\[::1\]|localhost|unix:)/.test(args[0]?.value ?? ''))
}
