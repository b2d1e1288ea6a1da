import type {Proxy} from '../proxy.ts'
import {nameServers} from './addresses.ts'
import {certificateFiles} from './certificates.ts'
import {durations} from './durations.ts'
import {fileReferences} from './files.ts'
import {gmsListeners, gmsNodes} from './gms-nodes.ts'
import {caveats, unsupported} from './honour.ts'
import {importFrom} from './import.ts'
import {isFatalLogLine, parseConfigTest} from './messages.ts'
import {parse, statementsOf} from './parse.ts'
import {recognise} from './recognise.ts'
import {sandbox} from './sandbox.ts'
import {site} from './site.ts'
import {BRANCHES} from './versions.ts'
import {view} from './view.ts'
import {WRAPPER_FOLDER} from './wrapper.ts'

/** `-f` for the entry, and for the user's file behind it when the entry is the sandbox's wrapper. */
function files(entry: string): readonly string[] {
  const wrapper = `/${WRAPPER_FOLDER}/`
  return entry.includes(wrapper) ? ['-f', entry, '-f', entry.replace(wrapper, '/')] : ['-f', entry]
}

/** The HAProxy column. Directives in use exist from 2.4 (the oldest branch with long-term support) to 3.4; measured on 2.6.12, 2.8.25, 3.0.11 and 3.4.7. */
export const haproxy: Proxy = {
  name: 'haproxy',
  title: 'HAProxy',
  versions: {newest: '3.4.0', oldest: '2.4.0'},
  image: {reference: 'haproxy:3.4', command: 'haproxy'},
  binaries: ['haproxy'],
  binaryFolders: ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/sbin', '/opt/homebrew/bin', '/opt/haproxy/sbin'],
  configFile: 'haproxy.cfg',
  fragmentFile: 'conf.d/gms-chat.cfg',
  branches: BRANCHES,
  caveats,
  unsupported,
  view,
  parse,
  site,
  importFrom,
  durations,
  includes(directives) {
    const all = statementsOf(directives)
    return [
      ...fileReferences(all).map(({path, span}) => ({pattern: path, data: true, span})),
      ...certificateFiles(all).map(file => ({...file, data: true, optional: true})),
    ]
  },
  recognise,
  listeners: gmsListeners,
  nodes: gmsNodes,
  nameServers,
  sandbox,
  versionCommand: binary => [binary, '-v'],
  parseVersion(output) {
    const [, version, patch] = /version\s+(\d+\.\d+)(\.\d+)?/i.exec(output) ?? []
    return version === undefined ? undefined : `${version}${patch ?? '.0'}`
  },
  configTest: (binary, entry) => ({argv: [binary, '-c', ...files(entry)]}),
  start: (binary, entry) => ({argv: [binary, '-W', '-db', ...files(entry)]}),
  parseConfigTest,
  async installation(_binary, version, ask, list) {
    const features = /^Feature list\s*:\s*(.*)$/m.exec(await ask(['-vv']))?.[1] ?? ''
    const stock = ['/etc/haproxy', '/usr/local/etc/haproxy']
    const found = await Promise.all(stock.map(async folder => ((await list(folder)).length > 0 ? folder : undefined)))
    const stockFolder = found.find(folder => folder !== undefined)
    return {
      version,
      builtin: [...features.matchAll(/\+(\S+)/g)].map(([, feature]) => feature ?? ''),
      loadable: [],
      ...(stockFolder === undefined ? {} : {stockFolder}),
    }
  },
  stopSignal: 'SIGTERM',
  reloadSignal: 'SIGUSR2',
  logs: {},
  isFatalLogLine,
}
