import type {SandboxPlan} from '../proxy.ts'
import type {ParsedConfig} from '../syntax.ts'
import type {Listener} from './listeners.ts'
import {addedModules} from './modules.ts'
import {isNamed, walk} from './parse.ts'
import {DEBIAN_VARIABLES, Variables} from './variables.ts'

/** The file that httpd is started with; it includes the user's. */
export const WRAPPER = 'gms-proxy-httpd.conf'

/** An empty page folder and media types: no file of this machine is needed. */
export const SURROUNDINGS = [
  {path: 'gms-proxy-htdocs/index.html', text: '<!doctype html><title>gms-proxy sandbox</title>\n'},
  {
    path: 'gms-proxy-mime.types',
    text: 'text/html html htm\ntext/plain txt\ntext/css css\ntext/javascript js\napplication/json json\nimage/png png\n',
  },
] as const

/** Where the sandbox listens instead of listener number `index`. */
export function addressOf(index: number, plan: SandboxPlan): string {
  return `${plan.listenAddress}:${plan.ports[index]}`
}

/** What stands around the configuration: paths into the sandbox, modules and variables that other files provide, a log, listeners. */
export function wrapper(config: ParsedConfig, plan: SandboxPlan, listeners: readonly Listener[]): {path: string; text: string} {
  const {folder, user, installation} = plan
  const variables = new Variables(config)
  const used = Object.entries(DEBIAN_VARIABLES).filter(
    ([name]) => !variables.isDefined(name) && config.bundle.files.some(({text}) => text.includes(`\${${name}}`)),
  )
  const lines = [
    '# The surroundings of the configuration in the sandbox, written by gms-proxy.',
    `ServerRoot "${folder}"`,
    `DefaultRuntimeDir "${folder}"`,
    `PidFile "${folder}/httpd.pid"`,
    `ErrorLog "${folder}/error.log"`,
    'ServerName localhost',
    `DocumentRoot "${folder}/gms-proxy-htdocs"`,
    ...used.map(([name, value]) => `Define ${name} "${value.replaceAll('{folder}', folder)}"`),
    ...addedModules(config, installation),
    ...(user ? ['<IfModule unixd_module>', `User ${user.name}`, `Group ${user.group}`, '</IfModule>'] : []),
    '<IfModule mime_module>',
    `TypesConfig "${folder}/gms-proxy-mime.types"`,
    '</IfModule>',
    ...(walk(config).some(({directive}) => isNamed(directive, 'CustomLog', 'TransferLog'))
      ? []
      : ['<IfModule log_config_module>', `CustomLog "${folder}/access.log" "%h %t \\"%m %U %H\\" %>s %B %Dus"`, '</IfModule>']),
    ...listeners.flatMap((listener, index) => (listener.listen ? [] : [`Listen ${addressOf(index, plan)}`])),
    `Include "${folder}/${config.bundle.entry}"`,
  ]
  return {path: WRAPPER, text: `${lines.join('\n')}\n`}
}
