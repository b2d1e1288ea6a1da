import {distinctEdits} from '../model/bundle.ts'
import type {Edit, Span} from '../model/bundle.ts'
import {redact} from '../model/redact.ts'
import type {Finding, Outcome, Promises, ReadingNotes, SuppressedFinding, Suppression} from '../model/report.ts'
import {mend} from '../parameters/mend.ts'
import type {Proxy} from '../proxies/proxy.ts'
import type {ParsedConfig} from '../proxies/syntax.ts'
import type {Listener, Request, Site, Way} from '../proxies/site.ts'
import {fingerprintOf, keyOf, normalised} from './baseline.ts'
import type {KnownFindings, Mark} from './baseline.ts'
import {Lines} from './lines.ts'
import {patchOf} from './patch.ts'
import {HANDSHAKE, POLL, UPLOAD, waysOf, WEBSOCKET} from './requests.ts'
import type {Rule, RuleDraft} from './rule.ts'
import type {SuppressingComment} from './suppressions.ts'

export interface LintInput {
  proxy: Proxy
  config: ParsedConfig
  /** `X.Y.Z`: defaults are those of this version. */
  version: string
  promises: Promises
  /** In the order of the report. */
  rules: readonly Rule[]
  /** Comments that switch rules off (`suppressionsOf`). */
  comments?: readonly SuppressingComment[]
  /** Findings that were there before; each that is seen again is taken from it. */
  baseline?: KnownFindings
  /** A file of the bundle as the command line would name it. */
  nameOf(file: string): string
  /** The same for a baseline, which is read from other folders too. Default `nameOf`. */
  baselineNameOf?(file: string): string
}

export interface LintResult {
  /** One for each rule. */
  outcomes: readonly Outcome[]
  reading: ReadingNotes
  /** Findings that no comment suppresses, for a baseline. */
  marks: readonly Mark[]
  /** Rules that threw: mistakes of ours. Their outcomes are errored. */
  bugs: readonly {rule: string; error: Error}[]
}

/** Reads a configuration with every rule. Nothing is started, nothing is read from disk. */
export function lint(input: LintInput): LintResult {
  const {proxy, config, version, rules, comments = []} = input
  if (!proxy.site) throw new Error(`${proxy.title} has no model of what its configuration means`)
  const site = remembering(proxy.site(config, version))
  const reader = new Reader(input, site)
  const outcomes = rules.map(rule => reader.judge(rule))
  const judged = new Set(rules.map(({meta}) => meta.id as string))
  return {
    outcomes,
    marks: reader.marks,
    bugs: reader.bugs,
    reading: {
      unknown: unknownIn(site).map(({span, because}) => ({location: reader.locate(span), because: redact(because)})),
      unusedSuppressions: comments
        .map(comment => ({comment, ids: comment.ids.filter(id => judged.has(id) && !reader.used.has(useOf(comment, id)))}))
        .filter(({ids}) => ids.length > 0)
        .map(({comment: {span}, ids}) => ({location: reader.locate(span), ids})),
      vanished: [],
    },
  }
}

/** What the model could not follow, and where ways of the chat end for that: of those no rule says anything. */
function unknownIn(site: Site): readonly {span: Span; because: string}[] {
  const places = new Set(site.unknown.map(({span: {file, start}}) => `${file}:${start}`))
  const lost = waysOf(site, HANDSHAKE, POLL, WEBSOCKET, UPLOAD).flatMap(({end, request: {title}}) => {
    if (end.kind !== 'unknown') return []
    const place = `${end.span.file}:${end.span.start}`
    if (places.has(place)) return []
    places.add(place)
    return [{span: end.span, because: `where ${title} goes cannot be told: ${end.because}`}]
  })
  return [...site.unknown, ...lost]
}

/** Rules ask for the same few requests: each is traced once. */
function remembering(site: Site): Site {
  const known = new Map<Listener, Map<Request, Way>>()
  return {
    ...site,
    trace(listener, request) {
      const own = known.get(listener) ?? new Map<Request, Way>()
      known.set(listener, own)
      const way = own.get(request) ?? site.trace(listener, request)
      own.set(request, way)
      return way
    },
  }
}

const useOf = ({span}: SuppressingComment, id: string) => `${span.file}:${span.start}:${id}`

/** A longer one nobody reads: a file of one line repeats all of it, for each finding. UTF-16 units. */
const LONGEST_PATCH = 50_000

/** Turns what rules find into outcomes, and keeps account of what does not count. */
class Reader {
  readonly marks: Mark[] = []
  readonly bugs: {rule: string; error: Error}[] = []
  /** Comments that have suppressed something. */
  readonly used = new Set<string>()
  private readonly input: LintInput
  private readonly site: Site
  private readonly texts = new Map<string, Lines>()
  private readonly seen = new Map<string, number>()

  constructor(input: LintInput, site: Site) {
    this.input = input
    this.site = site
  }

  judge(rule: Rule): Outcome {
    const {proxy, promises} = this.input
    const {id, concern, title, severity, provenBy} = rule.meta
    const began = performance.now()
    const outcome = (rest: Pick<Outcome, 'status'> & Partial<Outcome>): Outcome => ({
      id,
      concern,
      title,
      severity,
      durationMs: Math.round(performance.now() - began),
      findings: [],
      ...rest,
    })
    if (!rule.inspect)
      return outcome({
        status: 'skipped',
        notInFile: true,
        because: redact(`no file shows it: ${provenBy?.because ?? 'it is found from evidence'}`),
      })
    if (rule.meta.remediation[proxy.name] === undefined)
      return outcome({status: 'skipped', notInFile: true, because: `${proxy.title} cannot have it`})
    let findings: readonly {finding: Finding; draft: RuleDraft}[]
    try {
      findings = distinct(rule.inspect({site: this.site, promises})).map(draft => ({draft, finding: this.complete(rule, draft)}))
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(String(error))
      this.bugs.push({rule: id, error: reason})
      return outcome({status: 'errored', because: `a bug in this rule: ${redact(reason.message)}`})
    }
    const heard = [...findings].sort((a, b) => inFileOrder(a.finding, b.finding)).map(each => this.hear(id, each))
    const counting = heard.filter(finding => !('suppression' in finding))
    const suppressed = heard.filter((finding): finding is SuppressedFinding => 'suppression' in finding)
    return outcome({
      status: counting.length > 0 ? 'failed' : 'passed',
      findings: counting,
      ...(suppressed.length > 0 ? {suppressed} : {}),
    })
  }

  locate(span: Span) {
    return this.linesOf(span.file).locate(span, this.input.nameOf(span.file))
  }

  private linesOf(file: string): Lines {
    const known = this.texts.get(file)
    if (known) return known
    const lines = new Lines(this.input.config.bundle.files.find(({path}) => path === file)?.text ?? '')
    this.texts.set(file, lines)
    return lines
  }

  /** Adds to what the rule said: place, excerpt, mend and patch; secrets hidden. */
  private complete({meta}: Rule, {span, message, expected, actual, remediation, edits: offered = []}: RuleDraft): Finding {
    const {proxy, config, promises, nameOf} = this.input
    const edits = offered.some(edit => this.changes(edit)) ? offered : []
    const location = this.locate(span)
    const patch = patchOf(config.bundle, edits, {linesOf: file => this.linesOf(file), nameOf})
    // Text with a secret taken out of it must not be put into a file.
    const whole = edits.every(({text}) => redact(text) === text)
    return {
      message: redact(message),
      expected: redact(expected),
      actual: redact(actual),
      location,
      excerpt: this.linesOf(span.file).excerpt(location),
      evidence: {client: [], upstream: []},
      remediation: remediation === undefined ? mend(meta.remediation[proxy.name] ?? '', promises) : redact(remediation),
      ...(patch === '' || patch.length > LONGEST_PATCH ? {} : {patch}),
      ...(patch === '' || !whole
        ? {}
        : {replacements: distinctEdits(edits).map(edit => this.linesOf(edit.span.file).replacement(edit, nameOf(edit.span.file)))}),
    }
  }

  /** Whether an edit does more than put the same words there again: what is wrong is then written elsewhere. */
  private changes({span, text}: Edit): boolean {
    const before = this.linesOf(span.file).text.slice(span.start, span.end)
    return normalised(before) !== normalised(text)
  }

  /** Says of a finding what it is known by, and whether it counts. */
  private hear(rule: string, {finding, draft: {span}}: {finding: Finding; draft: RuleDraft}): Finding | SuppressedFinding {
    const {comments = [], baseline, nameOf, baselineNameOf = nameOf} = this.input
    const text = normalised(finding.location?.text ?? '')
    const own = {rule, file: posix(nameOf(span.file)), text}
    const nth = this.seen.get(keyOf(own)) ?? 0
    this.seen.set(keyOf(own), nth + 1)
    const known = {...finding, fingerprint: fingerprintOf(own, nth)}
    const suppressedBy = (suppression: Suppression): SuppressedFinding => ({...known, suppression})
    const comment = comments.find(
      ({ids, span: {file}, lines}) =>
        ids.includes(rule) && file === span.file && (lines === undefined || (span.line >= lines[0] && span.line <= lines[1])),
    )
    if (comment) {
      this.used.add(useOf(comment, rule))
      return suppressedBy({by: 'comment', reason: comment.reason})
    }
    const mark = {...own, file: posix(baselineNameOf(span.file))}
    this.marks.push(mark)
    return baseline?.take(mark) === true ? suppressedBy({by: 'baseline'}) : known
  }
}

/** A rule that looks at several requests may say the same of each. */
function distinct(drafts: readonly RuleDraft[]): readonly RuleDraft[] {
  return drafts.filter(
    ({span, message}, index) =>
      drafts.findIndex(other => other.message === message && other.span.file === span.file && other.span.start === span.start) === index,
  )
}

function inFileOrder({location: a}: Finding, {location: b}: Finding): number {
  if (!a || !b) return 0
  return a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || (a.column ?? 0) - (b.column ?? 0)
}

const posix = (file: string) => file.replaceAll('\\', '/')
