import type {Span} from '../../model/bundle.ts'
import type {NodeAddress, SandboxPlan} from '../proxy.ts'
import type {Directive} from '../syntax.ts'
import {quoteWord} from './parse.ts'
import type {Statement} from './parse.ts'
import {VALUED} from './sandbox-table.ts'

type Tls = NonNullable<NodeAddress['tls']>

/** Words that `default-server` lines, of the section and of the `defaults` before it, give to a `server` line; its own words come last. */
export function serverWords(statement: Statement, all: readonly Statement[]): readonly string[] {
  const inherited: string[] = []
  let fromDefaults: string[] = []
  let owner: Directive | undefined
  for (const {section, owner: at, directive, words} of all) {
    if (directive === statement.directive) break
    // each `defaults` section begins anew
    if (section === 'defaults' && at !== owner) fromDefaults = []
    owner = at
    if (words[0] !== 'default-server') continue
    if (section === 'defaults') fromDefaults.push(...words.slice(1))
    else if (at === statement.owner) inherited.push(...words.slice(1))
  }
  return [...fromDefaults, ...inherited, ...statement.words.slice(3)]
}

/** How a `server` line speaks TLS to its node; `undefined` when it speaks plain text. */
export function serverTls(statement: Statement, all: readonly Statement[]): Tls | undefined {
  const words = serverWords(statement, all)
  let tls = false
  let serverName: string | undefined
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    const next = words[i + 1] ?? ''
    if (word === 'ssl') tls = true
    else if (word === 'no-ssl') tls = false
    else if (word === 'verifyhost') serverName = next
    else if (word === 'sni') serverName ??= /^str\(['"]?([A-Za-z0-9._-]+)['"]?\)$/.exec(next)?.[1]
    if (VALUED.has(word) || word === 'verifyhost' || word === 'sni') i++
  }
  if (!tls) return undefined
  return serverName === undefined ? {} : {serverName}
}

const SIGNED = 'the throw-away authority has signed the certificates of the simulated nodes'
const OTHER_PORT = 'the Host header of users here has the port of the sandbox, which is no part of a host name'
/** The name that the client asks for. */
const OF_THE_HOST = /^(?:req\.)?f?hdr\(host\)$/i
const THROW_AWAY = 'a throw-away certificate of this run: keys of the deployment are not read'

/** Files of a `server` or `default-server` line become those of the run. `from` is the index of the first argument that is looked at. */
export function serverFiles(
  directive: Directive,
  from: number,
  {certificates}: SandboxPlan,
  put: (span: Span, text: string, why: string) => void,
): void {
  if (!certificates) return
  for (let i = from; i < directive.args.length; i++) {
    const word = directive.args[i]?.value ?? ''
    const file = directive.args[i + 1]
    if (word === 'ca-file' && file) put(file.span, quoteWord(certificates.authority), SIGNED)
    if (word === 'crt' && file) put(file.span, quoteWord(certificates.bundle), THROW_AWAY)
    if (word === 'sni' && file && OF_THE_HOST.test(file.value)) put(file.span, quoteWord(`${file.value},field(1,:)`), OTHER_PORT)
    if (VALUED.has(word) || ['ca-file', 'crt', 'sni'].includes(word)) i++
  }
}
