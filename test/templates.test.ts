import {readdirSync, readFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import Handlebars from 'handlebars'
import {describe, expect, it} from 'vitest'
import {PLAIN} from '../src/bundle/render.ts'
import {strictView} from '../src/bundle/strict-view.ts'
import type {ProxyName} from '../src/model/catalogue.ts'
import {formatDuration} from '../src/parameters/units.ts'
import {PROXIES} from '../src/proxies/index.ts'
import type {RenderTarget} from '../src/proxies/proxy.ts'
import {LAYOUTS} from '../src/proxies/proxy.ts'
import {parametersFixtures, versionsOf} from './support/golden.ts'

// A branch that no fixture renders is a directive that nobody has ever read: each must be reached by some deployment of fixtures/parameters.

const root = join(dirname(fileURLToPath(import.meta.url)), '../templates')

interface Source {
  /** As `{{> name}}` calls it, or the path of a file. */
  name: string
  partial: boolean
  text: string
}

function sourcesOf(proxy: ProxyName): readonly Source[] {
  return readdirSync(join(root, proxy), {recursive: true, encoding: 'utf8'})
    .filter(path => path.endsWith('.hbs'))
    .map(path => {
      const name = path.replaceAll('\\', '/').replace(/\.hbs$/, '')
      return {
        name: name.replace(/^partials\//, ''),
        partial: name.startsWith('partials/'),
        text: readFileSync(join(root, proxy, path), 'utf8'),
      }
    })
}

/** Puts a call of the helper `reached` to the beginning of every branch. Branches are named by file, line and kind. */
function marked({name, text}: Source, all: Set<string>): hbs.AST.Program {
  const program = Handlebars.parse(text)
  const mark = (branch: hbs.AST.Program | undefined, id: string) => {
    if (!branch) return
    all.add(id)
    const [call] = Handlebars.parse(`{{reached "${id}"}}`).body
    if (call) branch.body.unshift(call)
  }
  class Marker extends Handlebars.Visitor {
    override BlockStatement(block: hbs.AST.BlockStatement): void {
      super.BlockStatement(block)
      const place = `${name}.hbs:${block.loc.start.line} ${block.path.original}`
      mark(block.program, place)
      mark(block.inverse, `${place} else`)
    }
  }
  new Marker().accept(program)
  return program
}

const helpers = (reached: Set<string>) => ({
  seconds: (ms: number) => formatDuration(ms),
  reached(id: string) {
    reached.add(id)
    return ''
  },
})
const OPTIONS = {noEscape: true, strict: true, knownHelpersOnly: true, knownHelpers: {seconds: true, reached: true}}

const fixtures = await parametersFixtures()
const HOWS: readonly Omit<RenderTarget, 'version'>[] = LAYOUTS.flatMap(layout =>
  [true, false].map(fragment => ({...PLAIN, layout, fragment, header: layout === 'docker' ? [] : ['a line']})),
)

describe.each(Object.values(PROXIES))('$title', proxy => {
  const sources = sourcesOf(proxy.name)

  it('renders every branch of every template for some fixture', () => {
    const all = new Set<string>()
    const reached = new Set<string>()
    const handlebars = Handlebars.create()
    handlebars.registerHelper(helpers(reached))
    const programs = new Map(sources.map(source => [source, marked(source, all)]))
    for (const [{name, partial}, program] of programs) if (partial) handlebars.registerPartial(name, handlebars.compile(program, OPTIONS))
    const files = new Map(
      [...programs].filter(([{partial}]) => !partial).map(([{name}, program]) => [name, handlebars.compile(program, OPTIONS)]),
    )
    for (const {parameters} of fixtures)
      for (const version of versionsOf(proxy))
        for (const how of HOWS) {
          const target = {...how, version}
          if (proxy.unsupported(parameters, target).length > 0) continue
          files.get(how.fragment ? proxy.fragmentFile : proxy.configFile)?.(strictView(proxy.view(parameters, target)))
        }
    expect([...all].filter(id => !reached.has(id))).toEqual([])
  })

  it.each(sources.map(source => [source.name, source] as const))('%s does not render with a name that the view lacks', (_, {text}) => {
    for (const wrong of ['{{typo}}', '{{#if typo}}x{{/if}}', '{{#each typo}}x{{/each}}', '{{seconds typo}}']) {
      const [fixture] = fixtures
      if (!fixture) throw new Error('there are no fixtures')
      const handlebars = Handlebars.create()
      handlebars.registerHelper(helpers(new Set()))
      for (const source of sources) if (source.partial) handlebars.registerPartial(source.name, handlebars.compile(source.text, OPTIONS))
      const view = strictView(proxy.view(fixture.parameters, {...PLAIN, version: proxy.versions.newest}))
      expect(() => handlebars.compile(wrong + text, OPTIONS)(view)).toThrow(/typo/)
    }
  })
})
