import type {Span} from '../../model/bundle.ts'
import {COMETD_PATH} from '../../wire/bayeux.ts'
import {FILES_PATH} from '../../wire/chat.ts'
import type {Directive, ParsedConfig} from '../syntax.ts'
import type {Oddity} from '../site.ts'
import {atLeast} from '../version.ts'
import {slipOf} from '../slips.ts'
import {DIRECTIVES, LATER, REMOVED} from './directives.ts'
import {loadedBy} from './modules.ts'
import {isNamed, parseFile, splitWords, walk} from './parse.ts'
import {KNOWN_MODULES} from './sandbox-table.ts'
import type {Line, Modules} from './site-lines.ts'
import {isBelowOrAbove} from './site-patterns.ts'
import type {Server} from './site-servers.ts'
import {choosing} from './site-servers.ts'
import {SINCE} from './versions.ts'
import type {Variables} from './variables.ts'

/** What the oddities of a configuration are found in. */
interface Material {
  config: ParsedConfig
  lines: readonly Line[]
  modules: Modules
  variables: Variables
  version: string
  servers: readonly Server[]
}

const MPMS = ['mpm_event', 'mpm_worker', 'mpm_prefork']
/** Modules whose directive stands in another one too. */
const EITHER: Readonly<Record<string, readonly string[]>> = {
  cgi: ['cgid'],
  cgid: ['cgi'],
  heartmonitor: ['lbmethod_heartbeat'],
  lbmethod_heartbeat: ['heartmonitor'],
}
const MODULE_OF = new Map(
  Object.entries(DIRECTIVES).flatMap(([module, names]) => names.split(' ').map(name => [name.toLowerCase(), module] as const)),
)
/** As they are spelt. */
const NAMES = new Map(Object.values(DIRECTIVES).flatMap(names => names.split(' ').map(name => [name.toLowerCase(), name] as const)))
const REMOVED_WORDS = new Map(Object.entries(REMOVED).map(([name, because]) => [name.toLowerCase(), because] as const))

/** What is written and does not mean what it seems to. */
export function odditiesOf(material: Material): readonly Oddity[] {
  return [...ignoredText(material.config), ...words(material), ...neededModules(material), ...parameters(material), ...limits(material)]
}

/** As the file has them. */
const lineEndOf = (text: string) => (text.includes('\r\n') ? '\r\n' : '\n')

/** Text behind the `>` of a section line: a comment there is harmless. */
function ignoredText(config: ParsedConfig): readonly Oddity[] {
  return config.bundle.files.flatMap(({path, text}) => {
    if (!/^[ \t]*"?<[^/].*>.*\S/m.test(text) || !config.files.some(file => file.path === path && file.directives.length > 0)) return []
    return parseFile(path, text)
      .ignored.filter(ignored => !ignored.text.startsWith('#'))
      .map(({text: words, span}): Oddity => {
        const lines = split(words)
        const indent = ' '.repeat(4)
        return {
          kind: 'text-ignored',
          span,
          name: words,
          because: 'httpd drops what stands behind the > of a section line, without a word',
          mend:
            lines.length === 0
              ? []
              : [
                  {
                    span,
                    text: lines.map(line => `${lineEndOf(text)}${indent}${line}`).join(''),
                    why: 'each directive on a line of its own',
                  },
                ],
        }
      })
  })
}

/** Cuts a text into directives, at words that are names of directives; empty when it does not begin with one. */
function split(text: string): readonly string[] {
  const found = splitWords(text)
  const starts = found.filter(({value, quote}) => quote === undefined && MODULE_OF.has(value.toLowerCase()))
  if (starts[0]?.start !== found[0]?.start) return []
  return starts.map(({start}, index) => text.slice(start, starts[index + 1]?.start).trim())
}

/** Words of other versions, words nobody knows, and words whose module the configuration does not load although it loads others. */
function words({config, lines, modules, version}: Material): readonly Oddity[] {
  const foreign = loadedBy(walk(config)).some(({module}) => !KNOWN_MODULES.test(module))
  return lines.flatMap((line): Oddity[] => {
    const {name, directive, doubt} = line
    const span = directive.nameSpan
    const removed = REMOVED_WORDS.get(name)
    if (removed !== undefined)
      return [{kind: 'word-removed', span, name: directive.name, because: `httpd 2.4 does not know it: ${removed}`, mend: []}]
    const module = MODULE_OF.get(name)
    if (module === undefined) {
      if (foreign || !modules.complete || doubt !== undefined || name.includes('${')) return []
      const meant = NAMES.get(slipOf(name, NAMES.keys()) ?? '')
      return [
        {
          kind: 'word-unknown',
          span,
          name: directive.name,
          because: `no module of httpd knows it${meant === undefined ? '' : `: did you mean ${meant}?`}`,
          mend: meant === undefined || directive.block ? [] : [{span, text: meant, why: meant}],
        },
      ]
    }
    const since = LATER.get(name)
    if (since !== undefined && !atLeast(version, since) && doubt === undefined)
      return [
        {kind: 'word-unknown', span, name: directive.name, because: `it came with httpd ${since}: ${version} does not know it`, mend: []},
      ]
    if (doubt !== undefined || isThere(module, modules)) return []
    return [missing(module, span, directive.name, config)]
  })
}

function isThere(module: string, modules: Modules): boolean {
  if (MPMS.includes(module)) return true
  return [module, ...(EITHER[module] ?? [])].some(name => modules.has(name) !== false)
}

function missing(module: string, span: Span, what: string, config: ParsedConfig): Oddity {
  const last = walk(config).findLast(({directive}) => isNamed(directive, 'LoadModule'))?.directive
  const path = last?.args[1]?.value ?? 'modules/x.so'
  const folder = path.includes('/') ? path.replace(/[^/]*$/, '') : ''
  const textOf = ({file}: Span) => config.bundle.files.find(other => other.path === file)?.text ?? ''
  const line = `LoadModule ${module}_module ${folder}mod_${module}.so`
  return {
    kind: 'module-missing',
    span,
    name: line,
    because: `${what} needs mod_${module}, which this configuration does not load`,
    mend: last
      ? [{span: {...last.span, start: last.span.end}, text: `${lineEndOf(textOf(last.span))}${line}`, why: `${what} needs mod_${module}`}]
      : [],
  }
}

/** Modules that a value needs, not the directive: a balancer its method and its memory, `Require ip` its provider. */
function neededModules({config, lines, modules}: Material): readonly Oddity[] {
  if (!modules.complete) return []
  const found = new Map<string, Oddity>()
  const methods = new Map<Directive | undefined, string>()
  for (const {name, within, values} of lines) {
    const method = name === 'proxyset' ? values.find(value => /^lbmethod=/i.test(value))?.slice('lbmethod='.length) : undefined
    const section = within.at(-1)?.directive
    if (method !== undefined && !methods.has(section)) methods.set(section, method)
  }
  const need = (module: string, {directive}: Line, what: string) => {
    if (modules.has(module) === false && !found.has(module)) found.set(module, missing(module, directive.span, what, config))
  }
  for (const line of lines) {
    const {name, values} = line
    const said = (key: string) => values.find(value => value.toLowerCase().startsWith(`${key}=`))?.slice(key.length + 1)
    if (name === 'balancermember') {
      need('proxy_balancer', line, 'a balancer')
      need('slotmem_shm', line, 'a balancer')
      need(`lbmethod_${methods.get(line.within.at(-1)?.directive) ?? 'byrequests'}`, line, 'a balancer')
    }
    if (said('hcmethod') !== undefined || said('hctemplate') !== undefined) need('proxy_hcheck', line, 'a health check')
    if (name === 'proxyhctemplate') need('watchdog', line, 'a health check')
    if (name === 'sslsessioncache' && /^shmcb:/i.test(values[0] ?? '')) need('socache_shmcb', line, 'SSLSessionCache shmcb:')
    const asked = (/^not$/i.test(values[0] ?? '') ? values[1] : values[0])?.toLowerCase() ?? ''
    if (name === 'require' && ['ip', 'host', 'local', 'forward-dns'].includes(asked)) need('authz_host', line, `Require ${asked}`)
    if (name === 'require' && ['user', 'valid-user'].includes(asked)) need('authz_user', line, `Require ${asked}`)
    if (name === 'authtype' && asked === 'basic') need('auth_basic', line, 'AuthType Basic')
    if (name === 'authbasicprovider' && asked === 'file') need('authn_file', line, 'AuthBasicProvider file')
  }
  return [...found.values()]
}

/** Parameters that came with a later version: httpd refuses to start. */
function parameters({lines, version}: Material): readonly Oddity[] {
  const later = (['upgrade', 'addressTtl', 'handshakeTimeout'] as const).filter(feature => !atLeast(version, SINCE[feature].since))
  return lines.flatMap(({name, directive}) =>
    later.flatMap((feature): Oddity[] => {
      const key = {upgrade: 'upgrade=', addressTtl: 'addressttl=', handshakeTimeout: 'handshake='}[feature]
      const where = feature === 'handshakeTimeout' ? ['requestreadtimeout'] : ['proxypass', 'proxypassmatch', 'balancermember', 'proxyset']
      const argument = where.includes(name) ? directive.args.find(({value}) => value.toLowerCase().startsWith(key)) : undefined
      return argument
        ? [
            {
              kind: 'refused',
              span: argument.span,
              name: key,
              because: `${SINCE[feature].what} came with ${SINCE[feature].since}: ${version} does not start with it`,
              mend: [],
            },
          ]
        : []
    }),
  )
}

/** `LimitRequestBody` where requests are proxied: a 2 MB upload passed a limit of 1 MB at the server, the virtual host, `<Location>` and `<Proxy>` (2.4.71). */
function limits({lines, servers}: Material): readonly Oddity[] {
  const proxies = servers.filter(server =>
    [...(server.outer?.lines ?? []), ...server.lines].some(
      ({name}) => name === 'proxypass' || name === 'proxypassmatch' || name === 'rewriterule',
    ),
  )
  return lines.flatMap((line): Oddity[] => {
    if (line.name !== 'limitrequestbody' || !(Number(line.values[0]) > 0)) return []
    const ofChat = choosing(line).every(
      ({name, values}) =>
        name.startsWith('proxy') || (name === 'location' && [COMETD_PATH, FILES_PATH].some(path => isBelowOrAbove(path, values[0] ?? ''))),
    )
    if (!ofChat || !proxies.some(server => server.lines.includes(line) || server.outer?.lines.includes(line) === true)) return []
    const {span} = line.directive
    return [
      {
        kind: 'limit-without-effect',
        span,
        name: 'LimitRequestBody',
        because: 'httpd does not apply it to requests that it proxies',
        mend: [{span: {...span, end: span.start}, text: '# ', why: 'LimitRequestBody has no effect here'}],
      },
    ]
  })
}
