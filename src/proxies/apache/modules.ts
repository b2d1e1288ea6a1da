import type {Installation} from '../proxy.ts'
import type {ParsedConfig} from '../syntax.ts'
import type {Placed} from './parse.ts'
import {isNamed, walk} from './parse.ts'

/** Modules that the stock httpd.conf of a source build loads (docs/conf/httpd.conf.in): a fragment is written to be appended to it. */
const STOCK = [
  'authn_file',
  'authn_core',
  'authz_host',
  'authz_groupfile',
  'authz_user',
  'authz_core',
  'access_compat',
  'auth_basic',
  'reqtimeout',
  'filter',
  'mime',
  'log_config',
  'env',
  'headers',
  'setenvif',
  'version',
  'unixd',
  'status',
  'autoindex',
  'dir',
  'alias',
] as const

/** Compiled in by some builds (Debian), loadable in others (the official image): a file written for the former does not load them. */
const ELSEWHERE_BUILT_IN = ['unixd', 'log_config', 'version'] as const

const MPMS = ['event', 'worker', 'prefork'] as const

/** Which modules a directive needs, for files whose modules are switched on elsewhere (Debian's a2enmod). */
const NEEDED_BY: readonly {directive: RegExp; modules: readonly string[]}[] = [
  {directive: /^(?:proxy|noproxy|balancermember$)/i, modules: ['proxy', 'proxy_http', 'proxy_wstunnel']},
  {
    directive: /^(?:balancermember|balancer\w+)$/i,
    modules: ['proxy_balancer', 'slotmem_shm', 'lbmethod_byrequests', 'lbmethod_bybusyness', 'lbmethod_bytraffic'],
  },
  {directive: /^proxyhc/i, modules: ['watchdog', 'proxy_hcheck']},
  {directive: /^rewrite/i, modules: ['rewrite']},
  {directive: /^(?:requestheader|header)$/i, modules: ['headers']},
  {directive: /^ssl/i, modules: ['socache_shmcb', 'ssl']},
  {directive: /^remoteip/i, modules: ['remoteip']},
  {directive: /^expires/i, modules: ['expires']},
  {directive: /^deflate/i, modules: ['deflate']},
  {directive: /^protocols$/i, modules: ['http2']},
  {directive: /^(?:substitute|substitut\w+)$/i, modules: ['substitute']},
  {directive: /^extendedstatus$/i, modules: ['status']},
  {directive: /^cache/i, modules: ['cache']},
]

/** `mod_headers.so`, `/usr/lib/apache2/modules/mod_headers.so` → `mod_headers`. */
export function moduleOfFile(path: string): string {
  return path.replace(/^.*\//, '').replace(/\.(?:so|dll)$/i, '')
}

export function isBuiltIn(installation: Installation, module: string): boolean {
  return installation.builtin.includes(`${module}.c`) || installation.builtin.includes(`${module.replace(/^mod_(?:mpm_)?/, '')}.c`)
}

interface Loaded {
  /** As in `LoadModule headers_module`. */
  symbol: string
  /** `mod_headers`. */
  module: string
}

/** What the configuration loads itself, in any section. */
export function loadedBy(placed: readonly Placed[]): readonly Loaded[] {
  return placed.flatMap(({directive}) => {
    const [symbol, path] = directive.args
    return isNamed(directive, 'LoadModule') && symbol && path ? [{symbol: symbol.value, module: moduleOfFile(path.value)}] : []
  })
}

/** True when the configuration loads every module it needs itself: it is no part that stands among others. */
export function isComplete(config: ParsedConfig): boolean {
  const placed = walk(config)
  const loaded = loadedBy(placed)
  return (
    loaded.some(({module}) => module.startsWith('mod_mpm_')) ||
    (loaded.length > 0 && placed.some(({directive}) => isNamed(directive, 'Listen')))
  )
}

/** Names (without `mod_`) of modules that the surroundings of the configuration are expected to provide. */
export function expectedModules(config: ParsedConfig): readonly string[] {
  const placed = walk(config)
  const loaded = loadedBy(placed)
  const complete = isComplete(config)
  const byDirectives =
    loaded.length > 0
      ? []
      : NEEDED_BY.filter(({directive: name}) => placed.some(({directive}) => name.test(directive.name))).flatMap(({modules}) => modules)
  const wanted = complete ? ELSEWHERE_BUILT_IN : [...STOCK, ...byDirectives]
  return [...new Set(wanted)].filter(name => !loaded.some(({symbol, module}) => symbol === `${name}_module` || module === `mod_${name}`))
}

/** `LoadModule` lines that the sandbox adds before the configuration. */
export function addedModules(config: ParsedConfig, installation: Installation): readonly string[] {
  const loaded = loadedBy(walk(config))
  const exists = (name: string) => installation.loadable.includes(`mod_${name}.so`) && !isBuiltIn(installation, `mod_${name}`)
  const hasMpm = loaded.some(({module}) => module.startsWith('mod_mpm_')) || MPMS.some(mpm => isBuiltIn(installation, `mod_mpm_${mpm}`))
  const mpm = hasMpm
    ? []
    : MPMS.map(name => `mpm_${name}`)
        .filter(exists)
        .slice(0, 1)
  return [...mpm, ...expectedModules(config).filter(exists)].map(
    name => `LoadModule ${name}_module "${installation.modulesFolder ?? 'modules'}/mod_${name}.so"`,
  )
}
