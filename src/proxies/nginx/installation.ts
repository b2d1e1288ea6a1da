import type {Installation} from '../proxy.ts'

/** Reads `nginx -V`: where this build keeps modules and configuration, and which parts it was built with or without. */
export async function installation(
  _binary: string,
  version: string,
  ask: (args: readonly string[]) => Promise<string>,
  list: (folder: string) => Promise<readonly string[]>,
): Promise<Installation> {
  const output = await ask(['-V'])
  const option = (name: string) => new RegExp(`--${name}=(\\S+)`).exec(output)?.[1]
  const absolute = (path: string) => (path.startsWith('/') ? path : `${prefix}/${path}`)
  const prefix = (option('prefix') ?? '/usr/local/nginx').replace(/\/+$/, '')
  const modulesFolder = absolute(option('modules-path') ?? 'modules').replace(/\/+$/, '')
  const stockFolder = absolute(option('conf-path') ?? 'conf/nginx.conf').replace(/\/[^/]*$/, '')
  const [modules, stock] = await Promise.all([list(modulesFolder), list(stockFolder)])
  return {
    version,
    modulesFolder,
    builtin: [...output.matchAll(/(?:^|\s)(--with(?:out)?-[a-z0-9_-]+)(?==|\s|$)/g)].flatMap(([, name]) =>
      name === undefined ? [] : [name],
    ),
    loadable: modules.filter(name => name.endsWith('.so')),
    stockFolder,
    ...(stock.includes('mime.types') ? {mimeTypes: `${stockFolder}/mime.types`} : {}),
  }
}
