import type {ConfigBundle} from '../../model/bundle.ts'
import {segmentMatcher} from '../../model/glob.ts'

/** Folders of the packages and of the official image; their own files carry the system's listeners, logs and modules. */
export const STOCK_FOLDERS = [
  '/etc/apache2',
  '/etc/httpd',
  '/usr/local/apache2',
  '/usr/local/etc/apache24',
  '/usr/local/etc/httpd',
  '/opt/homebrew/etc/httpd',
]

/** Resolves `.` and `..`; `undefined` when the path leads out of its root. */
function normalize(path: string): string | undefined {
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment === '..') {
      if (segments.pop() === undefined) return undefined
    } else segments.push(segment)
  }
  return segments.join('/')
}

/** What an `Include` means within the sandbox. */
export type Included =
  | {kind: 'files'; paths: readonly string[]}
  /** Nothing of the bundle; a file of the packages, or none at all. */
  | {kind: 'stock'}
  | {kind: 'outside'}

/**
 * Finds the files of the bundle that an `Include` names: relative to the bundle's root, to the folder of the entry file, or absolute below
 * the root, the `ServerRoot` that the configuration was written for or a folder of the packages.
 */
export function resolveInclude(pattern: string, bundle: ConfigBundle, serverRoot: string | undefined): Included {
  const roots = [bundle.root, serverRoot, ...STOCK_FOLDERS].filter(root => root !== undefined)
  const below = roots.find(root => pattern.startsWith(`${root.replace(/\/+$/, '')}/`))
  const relative = below === undefined ? pattern : pattern.slice(below.replace(/\/+$/, '').length + 1)
  const entryFolder = bundle.entry.includes('/') ? bundle.entry.replace(/\/[^/]*$/, '') : ''
  if (!relative.startsWith('/')) {
    for (const base of new Set(['', entryFolder])) {
      const path = normalize(base === '' ? relative : `${base}/${relative}`)
      if (path === undefined) return {kind: 'outside'}
      const matchers = path.split('/').map(segmentMatcher)
      // a folder stands for all files below it
      const paths = bundle.files
        .map(file => file.path)
        .filter(file => {
          const segments = file.split('/')
          return (
            segments.length >= matchers.length &&
            matchers.every((matcher, index) => matcher.test(segments[index] ?? '')) &&
            (segments.length === matchers.length || !/[*?[]/.test(path.split('/').at(-1) ?? ''))
          )
        })
      if (paths.length > 0) return {kind: 'files', paths: paths.sort()}
    }
    return {kind: 'stock'}
  }
  const absolute = normalize(relative)
  return absolute !== undefined && STOCK_FOLDERS.some(folder => `/${absolute}`.startsWith(`${folder}/`))
    ? {kind: 'stock'}
    : {kind: 'outside'}
}
