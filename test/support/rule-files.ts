import {existsSync, readdirSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath, pathToFileURL} from 'node:url'
import {readBundle} from '../../src/bundle/disk.ts'
import {lint} from '../../src/lint/lint.ts'
import type {Rule} from '../../src/lint/rule.ts'
import type {ConfigBundle} from '../../src/model/bundle.ts'
import {PROXY_NAMES} from '../../src/model/catalogue.ts'
import type {ProxyName, Severity} from '../../src/model/catalogue.ts'
import type {Finding, Promises} from '../../src/model/report.ts'
import {loadForeignParameters} from '../../src/parameters/load.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import {prepare} from '../../src/verify/subject.ts'

export const rulesFolder = join(dirname(fileURLToPath(import.meta.url)), '../../src/lint/rules')

/** The versions that the files of the rules are written for: those whose behaviour was measured. */
export const MEASURED: Readonly<Record<ProxyName, string>> = {nginx: '1.22.1', apache: '2.4.71', haproxy: '2.6.12'}

/** One configuration beside a rule. */
export interface RuleFile {
  /** `<rule>/fires.nginx.conf` */
  name: string
  kind: 'fires' | 'silent'
  proxy: ProxyName
}

export interface RuleFolder {
  id: string
  rule: Rule
  files: readonly RuleFile[]
}

/** A finding, with the rule that found it. */
export interface Found {
  rule: string
  severity: Severity
  finding: Finding
}

/** Every folder of a rule, whether it is registered or not. */
export async function ruleFolders(): Promise<readonly RuleFolder[]> {
  const ids = readdirSync(rulesFolder, {withFileTypes: true})
    .filter(entry => entry.isDirectory() && existsSync(join(rulesFolder, entry.name, 'rule.ts')))
    .map(entry => entry.name)
    .sort()
  return Promise.all(
    ids.map(async id => {
      const {rule} = (await import(pathToFileURL(join(rulesFolder, id, 'rule.ts')).href)) as {rule: Rule}
      return {id, rule, files: readdirSync(join(rulesFolder, id)).flatMap(file => ruleFile(id, file))}
    }),
  )
}

function ruleFile(id: string, file: string): readonly RuleFile[] {
  const [, kind, word] = /^(fires|silent)(?:\..+)?\.(nginx\.conf|apache\.conf|haproxy\.cfg)$/.exec(file) ?? []
  const proxy = PROXY_NAMES.find(name => word?.startsWith(`${name}.`))
  return proxy && (kind === 'fires' || kind === 'silent') ? [{name: `${id}/${file}`, kind, proxy}] : []
}

/** A file of a rule as a subject, and what it is held to: `promises.yaml` beside it, else what any foreign file is. */
export async function readRuleFile({name, proxy}: RuleFile) {
  const path = join(rulesFolder, name)
  const {bundle} = await readBundle(path, {proxy, proxies: Object.values(PROXIES)})
  const promised = join(dirname(path), 'promises.yaml')
  const stated = existsSync(promised)
    ? await loadForeignParameters({file: promised, overrides: [], stdin: () => Promise.resolve('')})
    : undefined
  const subject = {kind: 'file' as const, name: path, proxy: PROXIES[proxy], bundle, ...(stated ? {stated} : {})}
  return {subject, bundle, promises: prepare(subject, {version: MEASURED[proxy]}).promises}
}

/** What rules find in a bundle. @throws Error when it cannot be read, or a rule throws. */
export function findingsIn(
  bundle: ConfigBundle,
  rules: readonly Rule[],
  {promises, version = MEASURED[bundle.proxy]}: {promises: Promises; version?: string},
): readonly Found[] {
  const proxy = PROXIES[bundle.proxy]
  const config = proxy.parse(bundle)
  const [problem] = config.problems
  if (problem) throw new Error(`${problem.span.file}:${problem.span.line}:${problem.span.column}: ${problem.message}`)
  const {outcomes, bugs} = lint({proxy, config, version, promises, rules, nameOf: file => file})
  for (const {rule, error} of bugs) throw new Error(`${rule} threw: ${error.stack ?? error.message}`)
  return outcomes.flatMap(({id, severity, findings}) => findings.map(finding => ({rule: id, severity, finding})))
}

/** `rule file:line:column message`, one a line, for a test that fails. */
export function told(found: readonly Found[]): readonly string[] {
  return found.map(
    ({rule, severity, finding: {location, message}}) =>
      `${severity} ${rule} ${location?.file ?? ''}:${location?.line ?? ''}:${location?.column ?? ''} ${message}`,
  )
}
