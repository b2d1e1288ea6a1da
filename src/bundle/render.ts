import type HandlebarsFull from 'handlebars'
import runtime from 'handlebars/runtime.js'
import type {ProxyName} from '../model/catalogue.ts'
import type {ConfigBundle} from '../model/bundle.ts'
import {formatDuration} from '../parameters/units.ts'
import type {Parameters} from '../parameters/schema.ts'
import type {Proxy as ProxyColumn, RenderTarget} from '../proxies/proxy.ts'
import {strictView} from './strict-view.ts'
import {TEMPLATES} from './templates.generated.ts'

/** The runtime's own types describe its ES module; what Node imports is the CommonJS object, which has the full library's shape. */
const Handlebars = runtime as unknown as typeof HandlebarsFull
type Group = {files: Record<string, TemplateSpecification>; partials: Record<string, TemplateSpecification>}

/** Unasked: a whole file for the official image, without a header. */
export const PLAIN = {layout: 'docker', fragment: false, header: []} as const satisfies Omit<RenderTarget, 'version'>

/**
 * Parameters → the configuration of one proxy, for `version` (`X.Y.Z`). Parameters that the proxy cannot honour must have been refused
 * before (`assertRenderable`).
 * @throws Error when a template asks for a name that the view does not have: a bug of ours.
 */
export function render(
  proxy: ProxyColumn,
  parameters: Parameters,
  version: string,
  how: Omit<RenderTarget, 'version'> = PLAIN,
): ConfigBundle {
  const {files, partials} = (TEMPLATES as unknown as Record<ProxyName, Group>)[proxy.name]
  const handlebars = Handlebars.create()
  handlebars.registerHelper('seconds', (ms: unknown) => {
    if (typeof ms !== 'number' || !Number.isFinite(ms)) throw new Error(`seconds needs a number of ms, not ${String(ms)}`)
    return formatDuration(ms)
  })
  for (const [name, specification] of Object.entries(partials)) handlebars.registerPartial(name, handlebars.template(specification))
  const view = strictView(proxy.view(parameters, {...how, version}))
  const path = how.fragment ? proxy.fragmentFile : proxy.configFile
  const specification = files[path]
  if (!specification) throw new Error(`templates/${proxy.name} has no ${path}.hbs`)
  // A partial that stands deeper indents the empty lines of its text too.
  const text = handlebars
    .template(specification)(view)
    .replace(/^[ \t]+$/gm, '')
  return {proxy: proxy.name, entry: path, origin: 'rendered', files: [{path, text}]}
}
