import type {Proxy} from '../proxy.ts'
import {listeners, nodes} from './addresses.ts'
import {fileReferences} from './files.ts'
import {isFatalLogLine, parseConfigTest} from './messages.ts'
import {parse, statementsOf} from './parse.ts'
import {recognise} from './recognise.ts'
import {sandbox} from './sandbox.ts'
import {view} from './view.ts'
import {WRAPPER_FOLDER} from './wrapper.ts'

/** `-f` for the entry, and for the user's file behind it when the entry is the sandbox's wrapper. */
function files(entry: string): readonly string[] {
  const wrapper = `/${WRAPPER_FOLDER}/`
  return entry.includes(wrapper) ? ['-f', entry, '-f', entry.replace(wrapper, '/')] : ['-f', entry]
}

/** The HAProxy column. Directives in use exist from 2.4 (the oldest branch with long-term support) to 3.2; measured on 2.6.12. */
export const haproxy: Proxy = {
  name: 'haproxy',
  title: 'HAProxy',
  versions: {newest: '3.2.0', oldest: '2.4.0'},
  image: {reference: 'haproxy:3.2', command: 'haproxy'},
  binaries: ['haproxy'],
  binaryFolders: ['/usr/sbin', '/usr/local/sbin', '/opt/homebrew/sbin', '/opt/homebrew/bin', '/opt/haproxy/sbin'],
  configFile: 'haproxy.cfg',
  unsupported: ({health}) =>
    health.mode === 'passive' ? [{path: 'health.mode', because: 'HAProxy brings a node back by active checks only: use tcp, or none'}] : [],
  view,
  parse,
  includes: directives => fileReferences(statementsOf(directives)).map(({path, span}) => ({pattern: path, data: true, span})),
  recognise,
  listeners,
  nodes,
  sandbox,
  versionCommand: binary => [binary, '-v'],
  parseVersion(output) {
    const [, version, patch] = /version\s+(\d+\.\d+)(\.\d+)?/i.exec(output) ?? []
    return version === undefined ? undefined : `${version}${patch ?? '.0'}`
  },
  configTest: (binary, entry) => ({argv: [binary, '-c', ...files(entry)]}),
  start: (binary, entry) => ({argv: [binary, '-db', ...files(entry)]}),
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
