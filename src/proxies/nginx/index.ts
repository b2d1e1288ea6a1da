import type {Proxy} from '../proxy.ts'
import {listenersOf, nodePlaces} from './addresses.ts'
import {installation} from './installation.ts'
import {isFatalLogLine, parseConfigTest} from './messages.ts'
import {parse} from './parse.ts'
import {recognise} from './recognise.ts'
import {sandbox} from './sandbox.ts'
import {unsupported, view} from './view.ts'

/** nginx, open source. `-e` (1.19.5) keeps its first words out of the compiled-in error log, so nothing older is run or rendered for. */
export const nginx: Proxy = {
  name: 'nginx',
  title: 'nginx',
  versions: {newest: '1.30.0', oldest: '1.20.0'},
  image: {reference: 'nginx:1.30', command: 'nginx'},
  binaries: ['nginx'],
  binaryFolders: ['/usr/sbin', '/usr/local/sbin', '/usr/local/nginx/sbin', '/opt/nginx/sbin', '/opt/homebrew/bin', '/usr/local/bin'],
  configFile: 'nginx.conf',
  unsupported,
  view,
  parse,
  recognise,
  listeners: listenersOf,
  nodes: config => nodePlaces(config).filter(({foreign}) => !foreign),
  sandbox,
  versionCommand: binary => [binary, '-v'],
  parseVersion: output => /nginx version: \S*?\/(\d+\.\d+\.\d+)/.exec(output)?.[1],
  configTest: (binary, entry, folder) => ({argv: [binary, '-t', ...places(entry, folder)]}),
  start: (binary, entry, folder) => ({argv: [binary, ...places(entry, folder)]}),
  parseConfigTest,
  installation,
  stopSignal: 'SIGTERM',
  reloadSignal: 'SIGHUP',
  logs: {access: 'access.log', error: 'error.log'},
  isFatalLogLine,
}

function places(entry: string, folder: string): readonly string[] {
  return ['-p', `${folder}/`, '-c', entry, '-e', `${folder}/error.log`]
}
