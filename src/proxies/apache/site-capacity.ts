import type {Capacity} from '../site.ts'
import type {Modules} from './site-lines.ts'
import type {Server} from './site-servers.ts'
import {find} from './site-servers.ts'
import type {Settings} from './site-settings.ts'
import {defaultOf} from './site-timeouts.ts'

/** How many requests are served at once, and by what. */
export interface Threads {
  processes: number
  perProcess: number
  total: number
}

/** What the MPM makes of its limits (event.c and worker.c: what does not fit together is lowered with a warning). */
export function threadsOf(main: Server, modules: Modules, version: string): Threads {
  const prefork = modules.has('mpm_prefork') === true
  const module = prefork ? 'mpm_prefork' : 'mpm_event'
  const number = (name: string, ...aliases: readonly string[]) => {
    const line = find(main, name, ...aliases)
    const value = Number(line?.values[0])
    return line && !line.unknown && value > 0 ? value : (defaultOf(name, version, module).value ?? 1)
  }
  const processes = number('ServerLimit')
  const perProcess = prefork ? 1 : Math.min(number('ThreadsPerChild'), number('ThreadLimit'))
  const wanted = number('MaxRequestWorkers', 'MaxClients')
  const total = Math.min(Math.floor(wanted / perProcess) || 1, processes) * perProcess
  return {processes, perProcess, total}
}

/** Every open WebSocket and every held poll keeps one thread (measured: 397 of 400, 150 of 150). A part of a configuration leaves it to the rest. */
export function capacityOf(main: Server, modules: Modules, settings: Settings, version: string): Capacity {
  const names = ['MaxRequestWorkers', 'MaxClients', 'ThreadsPerChild', 'ServerLimit', 'ThreadLimit'] as const
  const line = find(main, 'MaxRequestWorkers', 'MaxClients')
  const threads = threadsOf(main, modules, version)
  const said = names.some(name => find(main, name)) || modules.complete
  const {text} = defaultOf('MaxRequestWorkers', version, modules.has('mpm_prefork') === true ? 'mpm_prefork' : 'mpm_event')
  const bounding = line ?? find(main, 'ServerLimit', 'ThreadsPerChild')
  const setting = bounding
    ? settings.written(main, bounding, threads.total, 0)
    : settings.missing(main, 'MaxRequestWorkers', threads.total, text)
  return {
    ...(said ? {chats: threads.total} : {}),
    arithmetic: `${Math.floor(threads.total / threads.perProcess).toLocaleString('en')} processes × ${threads.perProcess.toLocaleString('en')} threads, one thread a chat`,
    setting: {
      ...setting,
      put: argument => {
        const wanted = Number(argument)
        if (!(wanted > 0)) return []
        const perProcess = threads.perProcess
        const processes = Math.ceil(wanted / perProcess)
        const workers = processes * perProcess
        const replace = (name: string, value: number) => {
          const written = find(main, name)
          return written ? settings.written(main, written, value, 0).put(String(value)) : settings.insert(main, `${name} ${value}`)
        }
        return [
          ...(processes > threads.processes ? replace('ServerLimit', processes) : []),
          ...replace(line?.directive.name ?? 'MaxRequestWorkers', workers),
        ]
      },
    },
  }
}
