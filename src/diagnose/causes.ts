import type {Rule} from '../lint/rule.ts'
import type {ProxyName} from '../model/catalogue.ts'
import {SEVERITIES} from '../model/catalogue.ts'
import {redact} from '../model/redact.ts'
import type {Cause, Confidence, Outcome} from '../model/report.ts'
import {remarksIn} from './log-line.ts'
import type {LogRemark} from './log-line.ts'
import {LOG_MEANINGS} from './log-meanings.ts'
import type {Suspicion} from './read.ts'

/** Everything that is known of a failure. */
export interface Symptoms {
  proxy: ProxyName
  /** How the checks ended. */
  outcomes: readonly Outcome[]
  /** Rules that complain of the configuration; none where there is no file. */
  suspicions: readonly Suspicion[]
  /** The catalogue of causes. */
  rules: readonly Rule[]
}

/** Causes, the best explanation first, and the failed outcomes that none of them explains. */
export interface Explanation {
  causes: readonly Cause[]
  unexplained: readonly string[]
}

const CONFIDENCES: readonly Confidence[] = ['certain', 'likely', 'possible']
const ACCEPTED = 'listener-config-accepted'
const REFUSED = 'listener-refuses-to-start'

/** A suspicion held against what failed. */
interface Held {
  suspicion: Suspicion
  confidence: Confidence
  explains: ReadonlySet<string>
}

/**
 * Joins what was felt in traffic with what was read and with what the proxy wrote into its log. Where the file and the traffic agree it is
 * certain; a failure that a defect can have is likely to come from it unless a certain cause explains it; everything else is only possible.
 */
export function causesOf({proxy, outcomes, suspicions, rules}: Symptoms): Explanation {
  const failed = outcomes.filter(({status}) => status === 'failed')
  const passed = new Set(outcomes.filter(({status}) => status === 'passed').map(({id}) => id))
  const remarks = new Map(failed.map(outcome => [outcome.id, remarksOf(outcome, proxy)]))
  const within = (ids: readonly string[]) => failed.map(({id}) => id).filter(id => ids.includes(id))

  const refusedFor = new Set((remarks.get(ACCEPTED) ?? []).flatMap(({causes}) => causes))
  const certain = suspicions.flatMap((suspicion): readonly Held[] => {
    const {id, breaks, breaksOneOf = [], mayBreak} = suspicion.rule.meta
    // It stands in the file, and the proxy says that it stumbled over it.
    if (refusedFor.has(id)) return [{suspicion, confidence: 'certain', explains: following(failed, [ACCEPTED])}]
    const agreed = [...within(breaks), ...within(breaksOneOf)]
    if (agreed.length === 0 || breaks.some(id => passed.has(id))) return []
    return [{suspicion, confidence: 'certain', explains: following(failed, [...agreed, ...within(mayBreak)])}]
  })
  const explained = new Set(certain.flatMap(({explains}) => [...explains]))
  const others = suspicions
    .filter(suspicion => !certain.some(held => held.suspicion === suspicion))
    .map((suspicion): Held => {
      const {breaks, breaksOneOf = [], mayBreak} = suspicion.rule.meta
      const joined = within([...breaks, ...breaksOneOf, ...mayBreak])
      const open = joined.filter(id => !explained.has(id))
      const spoken = joined.some(id => (remarks.get(id) ?? []).some(({causes}) => causes.includes(suspicion.rule.meta.id)))
      const contradicted = breaks.some(id => passed.has(id)) && within(breaks).length === 0
      const likely = !contradicted && (open.length > 0 || spoken)
      return {suspicion, confidence: likely ? 'likely' : 'possible', explains: likely ? following(failed, joined) : new Set(joined)}
    })
  const causes = [...certain, ...others].map(held => causeOf(held, {proxy, failed, remarks}))
  for (const {explains, confidence} of others) if (confidence === 'likely') for (const id of explains) explained.add(id)

  const refusal = failed.find(({id}) => id === ACCEPTED && !explained.has(id))
  const refusing = rules.find(({meta}) => meta.id === REFUSED)
  if (refusal && refusing) {
    causes.push(
      refusedCause(
        refusal,
        refusing,
        causes.find(({id}) => id === REFUSED),
      ),
    )
    explained.add(ACCEPTED)
  }
  for (const cause of heard(failed, {proxy, remarks, rules, named: new Set(causes.map(({id}) => id)), explained})) {
    causes.push(cause)
    if (cause.confidence !== 'possible') for (const id of cause.explains) explained.add(id)
  }

  const ranked = distinct(causes).sort(
    (a, b) =>
      CONFIDENCES.indexOf(a.confidence) - CONFIDENCES.indexOf(b.confidence) ||
      general(a) - general(b) ||
      SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
      b.explains.length - a.explains.length,
  )
  const named = new Set(ranked.flatMap(({explains}) => explains))
  return {causes: ranked, unexplained: failed.map(({id}) => id).filter(id => !named.has(id))}
}

/** That the proxy does not start is the last thing to say of it, where something says why. */
const general = ({id}: Cause) => (id === REFUSED ? 1 : 0)

/** Outcomes that failed for what `ids` stand for, those that presuppose one of them included, in the order of the report. */
function following(failed: readonly Outcome[], ids: readonly string[]): ReadonlySet<string> {
  const known = new Set(ids)
  const follows = ({followsFrom}: Outcome): boolean => {
    if (followsFrom === undefined) return false
    const root = failed.find(({id}) => id === followsFrom)
    return known.has(followsFrom) || (root !== undefined && root.id !== root.followsFrom && follows(root))
  }
  return new Set(failed.filter(outcome => known.has(outcome.id) || follows(outcome)).map(({id}) => id))
}

/** A proxy that refuses its configuration says why itself. */
function remarksOf({id, findings}: Outcome, proxy: ProxyName): readonly LogRemark[] {
  const lines = findings.flatMap(({evidence, actual}) => [...(evidence.proxyLog ?? []), ...(id === ACCEPTED ? [actual] : [])])
  return remarksIn([...new Set(lines)], LOG_MEANINGS[proxy])
}

interface Context {
  proxy: ProxyName
  failed: readonly Outcome[]
  remarks: ReadonlyMap<string, readonly LogRemark[]>
}

function causeOf({suspicion, confidence, explains}: Held, {failed, remarks}: Context): Cause {
  const {rule, findings} = suspicion
  const {id, severity, title, breaks, breaksOneOf = []} = rule.meta
  const [first] = findings
  const always = failed.filter(outcome => explains.has(outcome.id) && [...breaks, ...breaksOneOf].includes(outcome.id))
  const can = failed.filter(outcome => explains.has(outcome.id) && !always.includes(outcome))
  const logged = [...new Set([...explains].flatMap(each => remarks.get(each) ?? []))].filter(({causes}) => causes.includes(id))
  return {
    id,
    confidence,
    severity,
    title,
    because: [
      `the file: ${first?.message ?? title}`,
      ...(always.length > 0 ? [`traffic: ${idsOf(always)} failed, as it does with this defect`] : []),
      ...(always.length === 0 && can.length > 0 ? [`traffic: ${idsOf(can)} failed, which this defect can do`] : []),
      ...(explains.size === 0 ? ['traffic: no check that was run felt it'] : []),
      ...saidInLog(logged),
    ],
    ...(first?.location ? {location: first.location} : {}),
    ...(first?.excerpt ? {excerpt: first.excerpt} : {}),
    ...(findings.length > 1 ? {also: findings.slice(1).flatMap(({location}) => (location ? [location] : []))} : {}),
    explains: [...explains],
    remediation: first?.remediation ?? '',
    ...(findings.length === 1 && first?.patch !== undefined ? {patch: first.patch} : {}),
    ...(findings.length === 1 && first?.replacements ? {replacements: first.replacements} : {}),
  }
}

const idsOf = (outcomes: readonly Outcome[]) => outcomes.map(({id}) => id).join(', ')

function saidInLog(remarks: readonly LogRemark[]): readonly string[] {
  return [...new Map(remarks.map(remark => [remark.meaning, remark])).values()].map(
    ({line, meaning}) => `the log: ${meaning}: ${redact(line.trim())}`,
  )
}

/** The proxy refuses its configuration: that is the cause of everything, whatever else is wrong with it, and it says itself where. */
function refusedCause({id, findings}: Outcome, {meta}: Rule, read: Cause | undefined): Cause {
  const [first] = findings
  return {
    ...(read ?? {}),
    id: meta.id,
    confidence: 'certain',
    severity: meta.severity,
    title: meta.title,
    because: [`the proxy: ${first?.actual ?? 'it refuses the configuration'}`],
    ...(first?.location ? {location: first.location} : {}),
    explains: [id],
    remediation: read?.remediation ?? first?.remediation ?? '',
  }
}

/** Causes that only the log names: of a defect that no file shows it is likely, of one that rules did not find in the file only possible. */
function* heard(
  failed: readonly Outcome[],
  {
    proxy,
    remarks,
    rules,
    named,
    explained,
  }: Omit<Context, 'failed'> & {rules: readonly Rule[]; named: ReadonlySet<string>; explained: ReadonlySet<string>},
): Generator<Cause> {
  for (const outcome of failed)
    for (const remark of remarks.get(outcome.id) ?? []) {
      if (remark.causes.some(id => named.has(id)) || explained.has(outcome.id)) continue
      for (const id of remark.causes) {
        const rule = rules.find(({meta}) => meta.id === id)
        const remediation = rule?.meta.remediation[proxy]
        if (!rule || remediation === undefined) continue
        const [finding] = outcome.findings
        yield {
          id,
          confidence: rule.inspect ? 'possible' : 'likely',
          severity: rule.meta.severity,
          title: rule.meta.title,
          because: [...saidInLog([remark]), ...(rule.inspect ? ['the file: no line of it was found guilty of this'] : [])],
          explains: [outcome.id],
          // What the check asks for has the numbers of this deployment.
          remediation: rule.inspect ? (finding?.remediation ?? remediation) : remediation,
        }
        break
      }
    }
}

/** One cause for each id; what it explains, and why, put together. */
function distinct(causes: readonly Cause[]): Cause[] {
  const byId = new Map<string, Cause>()
  for (const cause of causes) {
    const known = byId.get(cause.id)
    const [best, other] =
      known && CONFIDENCES.indexOf(known.confidence) <= CONFIDENCES.indexOf(cause.confidence) ? [known, cause] : [cause, known]
    byId.set(
      cause.id,
      other
        ? {
            ...best,
            explains: [...new Set([...best.explains, ...other.explains])],
            because: [...new Set([...best.because, ...other.because])],
          }
        : best,
    )
  }
  return [...byId.values()]
}
