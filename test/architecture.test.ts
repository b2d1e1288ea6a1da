import {readdirSync, readFileSync} from 'node:fs'
import {dirname, join, posix, relative, sep} from 'node:path'
import {fileURLToPath} from 'node:url'
import {describe, expect, it} from 'vitest'

const src = join(dirname(fileURLToPath(import.meta.url)), '../src')

/** Who may import whom: folder -> folders (floor 0, `model wire errors log`, is open to all but itself). The table of ARCHITECTURE.md, executed. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  model: [],
  wire: [],
  errors: [],
  log: [],
  parameters: ['model', 'errors', 'wire'],
  report: ['model', 'parameters/units'],
  simulator: ['wire', 'log', 'errors', 'model'],
  tap: ['simulator/request-log', 'wire', 'log', 'errors'],
  client: ['wire', 'log', 'model'],
  desk: ['simulator', 'wire', 'errors'],
  proxies: ['model', 'parameters', 'wire'],
  flows: ['client', 'wire', 'model'],
  bundle: ['proxies', 'parameters', 'model', 'errors'],
  lint: ['proxies', 'bundle', 'parameters', 'wire', 'model', 'errors'],
  runtime: ['proxies', 'model', 'errors', 'log'],
  verify: ['runtime', 'bundle', 'simulator', 'tap', 'client/ledger', 'wire', 'errors', 'flows', 'proxies', 'parameters', 'model', 'log'],
  diagnose: ['verify', 'lint', 'runtime', 'bundle', 'flows', 'client', 'proxies', 'parameters', 'wire', 'model', 'errors', 'log'],
  cli: ['*'],
  commands: ['*'],
}

/** Sentences that a failing import breaks. */
const NEVER: readonly {rule: string; breaks(from: string, to: string): boolean}[] = [
  {
    rule: 'a contract never imports a registry',
    breaks: (from, to) => /\/(proxy|check|flow)\.ts$/.test(from) && /(proxies|checks)\/index\.ts$/.test(to),
  },
  {
    rule: 'one proxy folder never imports another',
    breaks: (from, to) => proxyOf(from) !== undefined && proxyOf(to) !== undefined && proxyOf(from) !== proxyOf(to),
  },
  {
    rule: 'a check never imports proxies or bundle',
    breaks: (from, to) => from.startsWith('verify/checks/') && /^(proxies|bundle|runtime)\//.test(to),
  },
  {
    rule: 'simulator and client never import each other',
    breaks: (from, to) =>
      (from.startsWith('simulator/') && to.startsWith('client/')) || (from.startsWith('client/') && to.startsWith('simulator/')),
  },
  {
    rule: 'nothing imports commands',
    breaks: (from, to) => to.startsWith('commands/') && !from.startsWith('commands/') && !from.startsWith('cli/'),
  },
  {
    rule: 'only the columns import their own folder; everybody else goes through proxies/index.ts or proxies/proxy.ts',
    breaks: (from, to) => proxyOf(to) !== undefined && !from.startsWith('proxies/'),
  },
]

function proxyOf(path: string): string | undefined {
  return /^proxies\/(\w+)\//.exec(path)?.[1]
}

function folderOf(path: string): string {
  return path.includes('/') ? (path.split('/')[0] ?? path) : path.replace(/\.ts$/, '')
}

const files = readdirSync(src, {recursive: true, withFileTypes: true})
  .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
  .map(entry => relative(src, join(entry.parentPath, entry.name)).split(sep).join(posix.sep))

const imports = files
  .filter(file => !file.endsWith('.test.ts') && !file.includes('.generated.'))
  .flatMap(from => {
    const text = readFileSync(join(src, from), 'utf8')
    return [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map(([, target = '']) => ({
      from,
      to: posix.normalize(posix.join(posix.dirname(from), target)),
    }))
  })

/** A source file without its comments. */
function codeOf(file: string): string {
  return readFileSync(join(src, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
}

describe('architecture', () => {
  it('every folder stands in the table', () => {
    expect([...new Set(files.map(folderOf))].filter(folder => !(folder in MAY_IMPORT))).toEqual([])
  })

  it('imports only point down', () => {
    const wrong = imports.filter(({from, to}) => {
      const [own, other] = [folderOf(from), folderOf(to)]
      const allowed = MAY_IMPORT[own] ?? []
      return own !== other && !allowed.includes('*') && !allowed.some(entry => other === entry || to === `${entry}.ts`)
    })
    expect(wrong).toEqual([])
  })

  it.each(NEVER)('$rule', ({breaks}) => {
    expect(imports.filter(({from, to}) => breaks(from, to))).toEqual([])
  })

  it('there are no circles', () => {
    const graph = new Map<string, string[]>()
    for (const {from, to} of imports) graph.set(from, [...(graph.get(from) ?? []), to])
    const circles: string[] = []
    const done = new Set<string>()
    const visit = (file: string, path: readonly string[]) => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
      else if (!done.has(file)) {
        for (const next of graph.get(file) ?? []) visit(next, [...path, file])
        done.add(file)
      }
    }
    for (const file of graph.keys()) visit(file, [])
    expect(circles).toEqual([])
  })

  it('process and console are touched by cli and commands only (runtime may hook exit and ask who it is)', () => {
    const touching = files
      .filter(file => !file.endsWith('.test.ts') && !/^(cli|commands|runtime)\//.test(file))
      .filter(file => /\b(process\.(exit|env|argv|stdout|stderr|on)|console\.)/.test(codeOf(file)))
    expect(touching).toEqual([])
  })

  it('only runtime starts processes', () => {
    const spawning = files
      .filter(file => !file.endsWith('.test.ts') && !file.startsWith('runtime/'))
      .filter(file => /from '(node:child_process|execa)'/.test(readFileSync(join(src, file), 'utf8')))
    expect(spawning).toEqual([])
  })
})
