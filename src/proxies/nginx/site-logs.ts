import type {Log} from '../site.ts'
import type {Scope} from './site-scope.ts'
import {parameter} from './site-limits.ts'
import {headOf} from './site-scope.ts'
import {homeFor, inserted, mayChange, replaced, setting, textOf} from './site-setting.ts'

/** The format of a line that names none (https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format). */
const COMBINED = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
const QUERY = /\$\{?(?:request|request_uri|args|query_string|arg_\w+)\b/
const SECRETS =
  /\$\{?(?:http_cookie|cookie_\w+|http_authorization|sent_http_set_cookie|upstream_http_set_cookie|request_body|upstream_cookie_\w+)\b/
const NODE = /\$\{?upstream_addr\b/

/** Access logs of a block; those of blocks further out only when it has none. */
export function logsOf(block: Scope, isOn: (condition: string) => boolean): readonly Log[] {
  const holder = block.holder('access_log')
  const home = homeFor(block, ['http', 'server', 'location']).home
  if (!holder)
    return [
      {
        span: home,
        ...judged(COMBINED, 'default'),
        setting: setting({
          value: 'combined',
          directive: 'access_log',
          text: 'access_log logs/access.log combined',
          home,
          put: argument => inserted(homeFor(block, ['http', 'server', 'location']), `access_log ${argument};`),
        }),
      },
    ]
  const lines = holder.all('access_log')
  if (lines.some(({args}) => args[0]?.value === 'off')) return []
  return lines.flatMap((line): readonly Log[] => {
    const condition = parameter(line, 'if')
    if (condition !== undefined && !isOn(condition)) return []
    const name = line.args[1] && !line.args[1].value.includes('=') ? line.args[1].value : 'combined'
    const format = block
      .up('http')
      ?.all('log_format')
      .find(({args}) => args[0]?.value === name)
    // What a fragment is put into may define it.
    if (!format && name !== 'combined') return []
    const words = format?.args.slice(1).map(({value}) => value) ?? []
    const escape = words[0]?.startsWith('escape=') ? words[0].slice('escape='.length) : 'default'
    const text = name === 'combined' ? COMBINED : words.filter(word => !word.startsWith('escape=')).join('')
    const log = {
      span: format ? headOf(format) : line.span,
      ...judged(text, escape),
      setting: setting({
        value: name,
        directive: 'access_log',
        text: textOf(line),
        span: line.span,
        home,
        put: argument =>
          mayChange(holder) ? replaced(line, argument) : inserted(homeFor(block, ['server', 'location']), `access_log ${argument};`),
      }),
    }
    return [log]
  })
}

function judged(format: string, escape: string): Pick<Log, 'namesNode' | 'holdsQuery' | 'holdsSecrets' | 'escapes'> {
  return {namesNode: NODE.test(format), holdsQuery: QUERY.test(format), holdsSecrets: SECRETS.test(format), escapes: escape !== 'none'}
}
