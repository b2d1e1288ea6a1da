import type {Span} from '../../model/bundle.ts'
import type {SandboxPlan} from '../proxy.ts'
import type {Directive, ParsedConfig} from '../syntax.ts'
import type {Change} from './change.ts'
import {quoted, removal, replaceArguments} from './change.ts'
import type {Placed} from './tree.ts'
import {isData, walk, withinBundle} from './tree.ts'

const THROW_AWAY = 'a throw-away certificate of this run: that of the deployment is not beside the configuration'
const AUTHORITY = 'users of this run have certificates of a throw-away authority'

/** Directives of listeners that name a file (ngx_http_ssl_module and its twins in stream and mail). */
const FILES: ReadonlySet<string> = new Set([
  'ssl_certificate',
  'ssl_certificate_key',
  'ssl_password_file',
  'ssl_dhparam',
  'ssl_session_ticket_key',
  'ssl_ech_file',
])

/** Files that the directives of one file pull in: includes, and what its TLS listeners read. */
export function includedFiles(
  directives: readonly Directive[],
): readonly {pattern: string; data?: boolean; optional?: boolean; span: Span}[] {
  return directives.flatMap(({name, args: [argument], block, span}) => [
    ...(argument && name === 'include' ? [{pattern: argument.value, span}] : []),
    ...(argument && FILES.has(name) ? [{pattern: argument.value, data: true, optional: true, span}] : []),
    ...includedFiles(block ?? []),
  ])
}

/**
 * What becomes of the files that a TLS listener reads: what lies beside the configuration is used, a certificate whose key does not lie there
 * is replaced together with it, and other extras go. `undefined` for every other directive.
 */
export function certificateChange(place: Placed, config: ParsedConfig, plan: SandboxPlan): Change | undefined {
  const {directive} = place
  const {certificates} = plan
  if (/^ssl_(?:client|trusted)_certificate$/.test(directive.name))
    return certificates ? {edits: replaceArguments(directive, [quoted(certificates.authority)], AUTHORITY)} : undefined
  if (directive.name === 'ssl_crl') return {edits: [removal(directive, 'the throw-away authority has revoked nothing')]}
  if (!FILES.has(directive.name)) return undefined
  const own = ownFile(directive, config)
  if (/^ssl_(?:certificate|certificate_key|password_file)$/.test(directive.name)) {
    const pair = walk(config).filter(
      other => !isData(other) && /^ssl_certificate(?:_key)?$/.test(other.directive.name) && other.around.at(-1) === place.around.at(-1),
    )
    const complete = pair.every(other => ownFile(other.directive, config) !== undefined)
    if (!complete || own === undefined) {
      if (directive.name === 'ssl_password_file') return {edits: [removal(directive, 'the throw-away key has no password')]}
      if (!certificates) return undefined
      // Two of one kind, for old and for new clients, would become the same one twice.
      const first = pair.find(other => other.directive.name === directive.name)?.directive
      if (first !== undefined && first !== directive) return {edits: [removal(directive, 'one throw-away certificate is enough')]}
      const path = directive.name === 'ssl_certificate' ? certificates.certificate : certificates.key
      return {edits: replaceArguments(directive, [quoted(path)], THROW_AWAY)}
    }
  }
  if (own === undefined) return {edits: [removal(directive, 'the file is not beside the configuration')]}
  return {edits: replaceArguments(directive, [quoted(`${plan.folder}/${own}`)], 'the file is read from its copy in the sandbox')}
}

/** Path in the bundle of the file that a directive names; `undefined` when it is not there. */
function ownFile({args}: Directive, {bundle}: ParsedConfig): string | undefined {
  const path = args[0] && withinBundle(bundle, args[0].value)
  return path !== undefined && bundle.files.some(file => file.path === path) ? path : undefined
}
