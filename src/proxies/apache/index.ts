import type {Proxy} from '../proxy.ts'
import {durations} from './durations.ts'
import {installation} from './installation.ts'
import {listeners} from './listeners.ts'
import {isFatalLogLine, parseConfigTest} from './messages.ts'
import {gmsNodes} from './gms-nodes.ts'
import {parse} from './parse.ts'
import {importFrom} from './import.ts'
import {STOCK_FOLDERS} from './includes.ts'
import {includesOf} from './reads.ts'
import {recognise} from './recognise.ts'
import {sandbox} from './sandbox.ts'
import {site} from './site.ts'
import {caveats, unsupported} from './limitations.ts'
import {BRANCHES} from './versions.ts'
import {view} from './view.ts'

/** Apache httpd 2.4. `upgrade=websocket` came with 2.4.47; before, mod_proxy_wstunnel carries the upgrade. */
export const apache: Proxy = {
  name: 'apache',
  title: 'Apache httpd',
  versions: {newest: '2.4.71', oldest: '2.4.37'},
  image: {reference: 'httpd:2.4.71', command: 'httpd'},
  binaries: ['apache2', 'httpd', 'httpd2'],
  binaryFolders: ['/usr/sbin', '/usr/local/sbin', '/usr/local/apache2/bin', '/opt/homebrew/bin', '/usr/local/bin', '/usr/bin'],
  configFile: 'httpd.conf',
  fragmentFile: 'conf.d/gms-chat.conf',
  branches: BRANCHES,
  caveats,
  unsupported,
  view,
  parse,
  includes: includesOf,
  configurationFolders: STOCK_FOLDERS,
  site,
  importFrom,
  durations,
  recognise,
  listeners: config => listeners(config).map(({host: _, port: __, listen: ___, ...listener}) => listener),
  nodes: gmsNodes,
  sandbox,
  versionCommand: binary => [binary, '-v'],
  parseVersion: output => /Apache\/(\d+\.\d+\.\d+)/.exec(output)?.[1],
  configTest: (binary, entry, folder) => ({argv: [binary, '-d', folder, '-f', entry, '-t']}),
  start: (binary, entry, folder) => ({argv: [binary, '-d', folder, '-f', entry, '-DFOREGROUND']}),
  parseConfigTest,
  installation,
  stopSignal: 'SIGTERM',
  // graceful: old processes keep their chats
  reloadSignal: 'SIGUSR1',
  logs: {access: 'access.log', error: 'error.log'},
  isFatalLogLine,
}
