import type {Proxy} from '../proxy.ts'
import {atLeast} from '../version.ts'
import {listenersOf, nameServersOf, nodePlaces} from './addresses.ts'
import {includedFiles} from './certificates.ts'
import {durations} from './durations.ts'
import {installation} from './installation.ts'
import {isFatalLogLine, parseConfigTest} from './messages.ts'
import {parse} from './parse.ts'
import {recognise} from './recognise.ts'
import {sandbox} from './sandbox.ts'
import {importFrom} from './import.ts'
import {site} from './site.ts'
import {caveats, unsupported} from './declared.ts'
import {CONFIGURATION_FOLDERS} from './tree.ts'
import {BRANCHES} from './versions.ts'
import {view} from './view.ts'

/** nginx, open source. */
export const nginx: Proxy = {
  name: 'nginx',
  title: 'nginx',
  versions: {newest: '1.30.0', oldest: '1.18.0'},
  image: {reference: 'nginx:1.30', command: 'nginx'},
  binaries: ['nginx'],
  binaryFolders: ['/usr/sbin', '/usr/local/sbin', '/usr/local/nginx/sbin', '/opt/nginx/sbin', '/opt/homebrew/bin', '/usr/local/bin'],
  configFile: 'nginx.conf',
  fragmentFile: 'conf.d/gms-chat.conf',
  branches: BRANCHES,
  caveats,
  unsupported,
  view,
  parse,
  includes: includedFiles,
  configurationFolders: CONFIGURATION_FOLDERS,
  site,
  importFrom,
  durations,
  recognise,
  listeners: listenersOf,
  nodes: config => nodePlaces(config).filter(({foreign}) => !foreign),
  nameServers: nameServersOf,
  sandbox,
  versionCommand: binary => [binary, '-v'],
  parseVersion: output => /nginx version: \S*?\/(\d+\.\d+\.\d+)/.exec(output)?.[1],
  configTest: (binary, entry, folder, version) => ({argv: [binary, '-t', ...places(entry, folder, version)]}),
  start: (binary, entry, folder, version) => ({argv: [binary, ...places(entry, folder, version)]}),
  parseConfigTest,
  installation,
  stopSignal: 'SIGTERM',
  reloadSignal: 'SIGHUP',
  logs: {access: 'access.log', error: 'error.log'},
  isFatalLogLine,
}

/**
 * Where the sandbox is. `-e` came with 1.19.5 and keeps the first words out of the compiled-in error log; an older nginx opens that one
 * before it has read its configuration, and only mentions it when it may not.
 */
function places(entry: string, folder: string, version: string | undefined): readonly string[] {
  const ownLog = version === undefined || atLeast(version, '1.19.5')
  return ['-p', `${folder}/`, '-c', entry, ...(ownLog ? ['-e', `${folder}/error.log`] : [])]
}
