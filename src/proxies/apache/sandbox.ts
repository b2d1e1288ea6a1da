import {isIP} from 'node:net'
import type {Edit, Span} from '../../model/bundle.ts'
import type {Refusal, SandboxPlan, SandboxResult} from '../proxy.ts'
import type {Argument, Directive, ParsedConfig} from '../syntax.ts'
import {certificateChange} from './certificates.ts'
import {BALANCER_WHY, balancerNetworks, clientNetworks, CLIENTS_WHY, isNetwork} from '../sandbox-clients.ts'
import {activity} from './conditions.ts'
import {gmsNodes} from './gms-nodes.ts'
import {resolveInclude} from './includes.ts'
import type {Listener} from './listeners.ts'
import {listeners, serves} from './listeners.ts'
import {isBuiltIn, loadedBy, moduleOfFile} from './modules.ts'
import {without} from './networks.ts'
import {mentions, reachesElsewhere} from './nodes.ts'
import type {Placed} from './parse.ts'
import {isNamed, walk} from './parse.ts'
import {leadsElsewhere} from './reach.ts'
import type {DataFile} from './reads.ts'
import {dataFile, readsFiles} from './reads.ts'
import {EXECUTING_MODULES, KNOWN_MODULES, MODULE_FOLDERS, SANDBOX} from './sandbox-table.ts'
import {Variables} from './variables.ts'
import {addressOf, SURROUNDINGS, WRAPPER, wrapper} from './wrapper.ts'

/** Nobody listens there (discard). */
const NOWHERE = '127.0.0.1:9'

/** Makes any configuration runnable: the table, the listeners, the nodes, the modules and the includes; the rest is a wrapper around it. */
export function sandbox(config: ParsedConfig, plan: SandboxPlan): SandboxResult {
  return new Sandbox(config, plan).result()
}

class Sandbox {
  private readonly edits: Edit[] = []
  private readonly refused: Refusal[] = []
  private readonly lists: {path: string; text: string}[] = []
  private readonly variables: Variables
  private readonly listeners: readonly Listener[]
  private readonly placed: readonly Placed[]
  private readonly runsPrograms: boolean
  private readonly serverRoot: string | undefined

  constructor(
    private readonly config: ParsedConfig,
    private readonly plan: SandboxPlan,
  ) {
    this.variables = new Variables(config)
    this.listeners = listeners(config)
    this.placed = walk(config)
    const loaded = loadedBy(this.placed)
    // a fragment leaves its modules to the file it is appended to: CGI may be among them
    this.runsPrograms =
      loaded.length === 0 ||
      loaded.some(({module}) => EXECUTING_MODULES.test(module)) ||
      isBuiltIn(plan.installation, 'mod_cgi') ||
      isBuiltIn(plan.installation, 'mod_cgid')
    this.serverRoot = this.placed.find(({directive}) => isNamed(directive, 'ServerRoot'))?.directive.args[0]?.value
  }

  result(): SandboxResult {
    const isActive = activity(this.config)
    for (const {path, text} of this.config.bundle.files) {
      if (text.includes('\0'))
        this.refuse('NUL', 'a NUL character hides text from the reader', {file: path, start: 0, end: 0, line: 1, column: 1})
    }
    const moved = new Set<Directive>()
    for (const place of this.placed) if (this.treat(place, isActive(place.within))) moved.add(place.directive)
    this.moveNodes(moved)
    return {
      edits: this.edits,
      added: [wrapper(this.config, this.plan, this.listeners), ...this.lists, ...SURROUNDINGS],
      entry: WRAPPER,
      refused: this.refused,
    }
  }

  /** Decides about one directive; true when nothing else may touch it. */
  private treat(place: Placed, active: boolean): boolean {
    const {directive} = place
    const {name, args} = directive
    if (name.includes('${')) {
      this.refuse(name, 'a directive whose name is a variable cannot be judged', directive.nameSpan)
      return true
    }
    const values = args.map(({value}) => this.variables.resolve(value))
    const texts = values.map(({text}) => text)
    const row = SANDBOX.find(
      candidate =>
        (candidate.section ?? false) === (directive.block !== undefined) &&
        matches(candidate.directive, name) &&
        (candidate.when === undefined || texts.some(text => candidate.when?.test(text))) &&
        (candidate.first === undefined || candidate.first.test(texts[0] ?? '')) &&
        !(candidate.op === 'refuse' && this.plan.allowExec),
    )
    if (row?.inertWithoutCgi && !this.runsPrograms) {
      this.remove(directive, 'has no effect: the configuration loads no CGI module')
      return true
    }
    if (row?.op === 'refuse') {
      this.refuse(name, row.why, directive.span)
      return true
    }
    const shown = this.plan.allowExec ? undefined : readsFiles(directive, texts)
    if (shown !== undefined) {
      this.refuse(name, shown, directive.block === undefined ? directive.span : {...directive.nameSpan, end: args.at(-1)?.span.end ?? 0})
      return directive.block === undefined
    }
    const certified = certificateChange(place, {
      placed: this.placed,
      certificates: this.plan.certificates,
      own: path => this.ownFile(path),
    })
    if (certified) {
      if ('remove' in certified) this.remove(directive, certified.remove)
      else if ('line' in certified) this.replace(directive.span, certified.line, certified.why)
      else this.replaceArguments(directive, `"${certified.path}"`, certified.why)
      return true
    }
    if (row) {
      this.apply(row, directive)
      return true
    }
    const unknown = values.flatMap(value => value.unknown)
    if (unknown[0] !== undefined && !this.plan.allowExec && !isNamed(directive, 'User', 'Group', 'Define')) {
      this.refuse(
        name,
        `\${${unknown[0]}} is not defined in the configuration, or not once and plainly: its value cannot be followed`,
        directive.span,
      )
      return true
    }
    if (isNamed(directive, 'Include', 'IncludeOptional')) return this.include(directive, texts[0] ?? '')
    if (isNamed(directive, 'LoadModule')) return this.loadModule(directive, texts[1] ?? '')
    if (isNamed(directive, 'Require', 'Allow')) return this.admit(place)
    if (isNamed(directive, 'RemoteIPProxyProtocolExceptions')) return this.hearBalancer(directive, texts)
    if (isNamed(directive, 'Listen')) return this.listen(directive, active)
    if (isNamed(directive, 'VirtualHost')) return this.virtualHost(directive)
    if (isNamed(directive, 'User', 'Group')) return this.account(directive)
    if (reachesElsewhere(directive)) {
      this.remove(directive, 'such a backend is not part of the sandbox')
      return true
    }
    const file = dataFile(directive)
    if (file) return this.data(directive, file)
    const elsewhere = this.plan.allowExec ? undefined : leadsElsewhere(place, this.placed, this.variables)
    if (elsewhere !== undefined) this.refuse(name, elsewhere, directive.span)
    return elsewhere !== undefined
  }

  private apply(row: (typeof SANDBOX)[number], directive: Directive): void {
    const {folder, certificates} = this.plan
    if (/\{(?:authority|certificate|key|bundle)\}/.test(row.value ?? '') && !certificates) {
      this.remove(directive, 'nothing in this configuration speaks TLS')
      return
    }
    const places: Readonly<Record<string, string>> = {folder, ...certificates}
    const value = (row.value ?? '').replace(/\{(\w+)\}/g, (whole, name: string) => places[name] ?? whole)
    const [first] = directive.args
    const last = directive.args.at(-1)
    if (row.op === 'keep') return
    if (row.op === 'remove') this.remove(directive, row.why)
    else if (row.op === 'instead') this.replace(directive.span, value, row.why)
    else if (row.op === 'last' && last) this.replace(last.span, value, row.why)
    else if (row.op === 'path' && first) this.replace(first.span, value, row.why)
    else this.replaceArguments(directive, value, row.why)
  }

  private include(directive: Directive, pattern: string): boolean {
    const [argument] = directive.args
    if (!argument) return true
    const found = resolveInclude(pattern, this.config.bundle, this.serverRoot)
    if (found.kind === 'outside') this.refuse(directive.name, `${pattern} is outside the folder of the configuration`, directive.span)
    else if (found.kind === 'stock') this.remove(directive, 'not part of this configuration: the sandbox loads the stock modules itself')
    else {
      const [only, ...more] = found.paths
      if (only !== undefined && more.length === 0)
        this.replace(argument.span, `"${this.plan.folder}/${only}"`, 'the copy in the sandbox is read')
      else {
        // one file with the list, so that line numbers of the user's file stay
        const path = `gms-proxy-include-${this.lists.length + 1}.conf`
        this.lists.push({path, text: found.paths.map(file => `Include "${this.plan.folder}/${file}"\n`).join('')})
        this.replace(argument.span, `"${this.plan.folder}/${path}"`, 'the copies in the sandbox are read')
      }
    }
    return true
  }

  /** Path in the sandbox of a file that lies beside the configuration. */
  private ownFile(path: string): string | undefined {
    const found = resolveInclude(this.variables.resolve(path).text, this.config.bundle, this.serverRoot)
    const [only, ...more] = found.kind === 'files' ? found.paths : []
    return only === undefined || more.length > 0 ? undefined : `${this.plan.folder}/${only}`
  }

  private data(directive: Directive, {path, span, prefix}: DataFile): boolean {
    const own = this.ownFile(path)
    if (own === undefined) this.refuse(directive.name, `${path} is not inside the folder of the configuration`, directive.span)
    else this.replace(span, `"${prefix}${own}"`, 'the copy in the sandbox is read')
    return true
  }

  private loadModule(directive: Directive, path: string): boolean {
    const {installation, allowExec} = this.plan
    const module = moduleOfFile(path)
    const folder = path.replace(/\/?[^/]*$/, '')
    if (!allowExec && EXECUTING_MODULES.test(module))
      this.refuse(directive.name, `${module} runs programs or code, or reaches out of the sandbox`, directive.span)
    else if (!allowExec && !KNOWN_MODULES.test(module))
      this.refuse(directive.name, `${module} is none of httpd's own modules: what it does cannot be judged`, directive.span)
    else if (folder !== installation.modulesFolder && !MODULE_FOLDERS.test(folder.replace(/^\.\//, ''))) {
      if (!allowExec) this.refuse(directive.name, `${path} is outside the module folder`, directive.span)
    } else if (isBuiltIn(installation, module)) this.remove(directive, `${module} is compiled into this build`)
    else if (installation.modulesFolder !== undefined && directive.args[1]) {
      const installed = `${installation.modulesFolder}/${path.replace(/^.*\//, '')}`
      if (installed !== path) this.replace(directive.args[1].span, `"${installed}"`, 'modules of this installation')
    }
    return true
  }

  private listen(directive: Directive, active: boolean): boolean {
    const index = this.listeners.findIndex(({listen}) => listen === directive)
    if (index === -1)
      this.remove(directive, active ? 'the sandbox listens there already' : 'does not take effect: the section around it does not hold')
    else this.replaceArguments(directive, addressOf(index, this.plan), 'listens on a free port')
    return true
  }

  private virtualHost(directive: Directive): boolean {
    for (const argument of directive.args) {
      const address = this.variables.resolve(argument.value).text
      if (!/[\d*]$/.test(address)) continue
      const ports = this.listeners.flatMap((listener, index) => (serves(address, listener) ? [this.plan.ports[index]] : []))
      if (ports.length === 0 || /^(?:\*|_default_)(?::\*)?$/.test(address)) continue
      this.replace(argument.span, ports.map(port => `*:${port}`).join(' '), 'serves the listener of the sandbox')
    }
    return true
  }

  /** `Require ip` and `Allow from` with networks: the users of the sandbox are let in as well. */
  private admit({directive: {args}, within}: Placed): boolean {
    const last = args.at(-1)
    const asks = args[0]?.value.toLowerCase()
    if (!last || !isNetwork(last.value) || (asks !== 'ip' && asks !== 'from')) return false
    if (within.some(section => isNamed(section, 'RequireNone'))) return false
    this.replace({...last.span, start: last.span.end}, ` ${clientNetworks(this.plan).join(' ')}`, CLIENTS_WHY)
    return true
  }

  /** Among the addresses that are not asked for a PROXY protocol header there must not be that of the sandbox's own load balancer. */
  private hearBalancer(directive: Directive, networks: readonly string[]): boolean {
    const balancer = balancerNetworks(this.plan)
    const left = networks.map(network => {
      if (isIP(network.replace(/\/.*$/, '')) === 0) return [network]
      const rest = without(network, balancer)
      return rest.join() === without(network, []).join() ? [network] : rest
    })
    const text = left.flat().join(' ')
    if (text === networks.join(' ')) return false
    if (text === '') this.remove(directive, BALANCER_WHY)
    else this.replaceArguments(directive, text, BALANCER_WHY)
    return true
  }

  private account(directive: Directive): boolean {
    const {user} = this.plan
    if (user) this.replaceArguments(directive, isNamed(directive, 'User') ? user.name : user.group, 'runs as a user without rights')
    else this.remove(directive, 'is not started by root')
    return true
  }

  private moveNodes(moved: ReadonlySet<Directive>): void {
    const taken = [...moved].filter(({block}) => block === undefined)
    const order = [...new Set(gmsNodes(this.config).map(({address}) => address))]
    for (const mention of mentions(this.config)) {
      if (taken.some(({span}) => span.file === mention.span.file && span.start <= mention.span.start && mention.span.end <= span.end))
        continue
      const at = order.indexOf(mention.node.address)
      const real = this.plan.nodes[at]
      if (at === -1)
        this.replace(mention.span, mention.write(NOWHERE), `${mention.node.address} is no GMS node: unreachable in the sandbox`)
      else if (real !== undefined) this.replace(mention.span, mention.write(real), `${mention.node.address} is simulated`)
    }
  }

  private refuse(directive: string, because: string, span: Span): void {
    this.refused.push({directive, because, span})
  }

  /** A `#` before the name: httpd continues a comment like any line, so all of the directive goes. */
  private remove({span}: Directive, why: string): void {
    this.edits.push({span: {...span, end: span.start}, text: '# ', why})
  }

  private replace(span: Span, text: string, why: string): void {
    const file = this.config.bundle.files.find(({path}) => path === span.file)
    if (file?.text.slice(span.start, span.end) !== text) this.edits.push({span, text, why})
  }

  private replaceArguments({args, nameSpan}: Directive, text: string, why: string): void {
    const first: Argument | undefined = args[0]
    const last: Argument | undefined = args.at(-1)
    if (first && last) this.replace({...first.span, end: last.span.end}, text, why)
    else this.replace({...nameSpan, start: nameSpan.end}, ` ${text}`, why)
  }
}

function matches(pattern: string | RegExp, name: string): boolean {
  return typeof pattern === 'string' ? pattern.toLowerCase() === name.toLowerCase() : pattern.test(name)
}
