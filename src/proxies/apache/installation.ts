import type {Installation} from '../proxy.ts'

/**
 * Reads `httpd -V` and `-l` and finds the modules: Debian and Alpine keep them below /usr/lib/apache2, RHEL in /usr/lib64/httpd, the official
 * image and source builds below the server root.
 */
export async function installation(
  binary: string,
  version: string,
  ask: (args: readonly string[]) => Promise<string>,
  list: (folder: string) => Promise<readonly string[]>,
): Promise<Installation> {
  const [settings, compiled] = [await ask(['-V']), await ask(['-l'])]
  const setting = (name: string) => new RegExp(`-D ${name}="([^"]*)"`).exec(settings)?.[1]
  const root = (setting('HTTPD_ROOT') ?? '/usr/local/apache2').replace(/\/+$/, '')
  const configFile = setting('SERVER_CONFIG_FILE') ?? 'conf/httpd.conf'
  const prefix = binary.startsWith('/') ? binary.replace(/\/s?bin\/[^/]*$/, '') : '/usr'
  const candidates = [
    ...(root === '/etc/apache2' ? ['/usr/lib/apache2/modules'] : []),
    `${root}/modules`,
    `${prefix}/modules`,
    `${prefix}/lib/apache2/modules`,
    `${prefix}/lib64/httpd/modules`,
    `${prefix}/lib/httpd/modules`,
    `${prefix}/lib64/apache2`,
    `${prefix}/lib/apache2`,
    `${prefix}/libexec/apache2`,
    `${prefix}/libexec/apache24`,
    '/usr/lib/apache2/modules',
    '/usr/lib64/httpd/modules',
    '/usr/lib/apache2',
    '/usr/local/apache2/modules',
  ]
  let found: {folder: string; modules: readonly string[]} | undefined
  for (const folder of new Set(candidates)) {
    const modules = (await list(folder)).filter(name => name.endsWith('.so'))
    if (modules.length === 0) continue
    found = {folder, modules}
    break
  }
  const stockFolder = (configFile.startsWith('/') ? configFile : `${root}/${configFile}`).replace(/\/[^/]*$/, '')
  return {
    version,
    builtin: [...compiled.matchAll(/^\s+(\w+\.c)\s*$/gm)].flatMap(([, name]) => (name === undefined ? [] : [name])),
    loadable: found?.modules ?? [],
    stockFolder,
    ...(found ? {modulesFolder: found.folder} : {}),
  }
}
