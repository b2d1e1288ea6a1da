import {Lines} from '../lint/lines.ts'
import {patchOf} from '../lint/patch.ts'
import type {Rule} from '../lint/rule.ts'
import type {ConfigBundle} from '../model/bundle.ts'
import {redact} from '../model/redact.ts'
import type {Cause, Replacement, Report, SubjectReport} from '../model/report.ts'
import {pathOf} from '../verify/subject.ts'
import type {Subject} from '../verify/subject.ts'
import {causesOf} from './causes.ts'
import type {Explanation} from './causes.ts'
import {editsOf, Mending} from './mending.ts'
import type {Block} from './mending.ts'
import {readWith} from './read.ts'
import type {ReadableSubject} from './read.ts'

/**
 * The same report with the causes of what failed, each with the change that mends it. Subjects whose file is not known keep what is said of
 * them; where nothing failed, `always` reads the file all the same: what it says then is only possible.
 */
export function explained(report: Report, subjects: readonly Subject[], rules: readonly Rule[], {always = false} = {}): Report {
  return {
    ...report,
    subjects: report.subjects.map((judged, index) => {
      const subject = subjects[index]
      const failed = judged.outcomes.some(({status}) => status === 'failed')
      return subject && subject.kind !== 'url' && (failed || always) ? withCauses(judged, subject, rules, {always}) : judged
    }),
  }
}

function withCauses(judged: SubjectReport, subject: ReadableSubject, rules: readonly Rule[], {always}: {always: boolean}): SubjectReport {
  const {causes, unexplained} = explain(judged, subject, rules)
  return {...judged, causes: causes.filter(({explains, severity}) => explains.length > 0 || (always && severity !== 'note')), unexplained}
}

/** Why the outcomes of one run of a configuration are as they are. */
export function explain(judged: SubjectReport, subject: ReadableSubject, rules: readonly Rule[]): Explanation {
  const version = judged.proxyVersion ?? subject.proxy.versions.newest
  const {bundle, promises, suspicions} = readWith(rules, subject, version)
  const {causes, unexplained} = causesOf({proxy: subject.proxy.name, outcomes: judged.outcomes, suspicions, rules})
  return {
    unexplained,
    causes: causes.map((cause): Cause => {
      const rule = rules.find(({meta}) => meta.id === cause.id)
      if (!cause.also || cause.patch !== undefined || !rule) return cause
      // Several places: their edits may overlap, so they are mended one after the other.
      const mending = new Mending(bundle)
      if (!mending.mendWith([rule], {proxy: subject.proxy, version, promises})) return cause
      const blocks = mending.blocks()
      const patch = diffOf(bundle, blocks, subject)
      return patch === '' ? cause : {...cause, patch, ...replacementsOf(bundle, blocks, subject)}
    }),
  }
}

/** Blocks as a unified diff of the user's files, secrets hidden. */
export function diffOf(bundle: ConfigBundle, blocks: readonly Block[], subject: ReadableSubject): string {
  return patchOf(bundle, editsOf(blocks), {
    linesOf: file => new Lines(bundle.files.find(({path}) => path === file)?.text ?? ''),
    nameOf: file => pathOf(subject, file),
  })
}

/** Blocks as replacements in the user's files; nothing where a secret would have to be written into a report. */
export function replacementsOf(
  bundle: ConfigBundle,
  blocks: readonly Block[],
  subject: ReadableSubject,
): {replacements?: readonly Replacement[]} {
  const edits = editsOf(blocks)
  if (edits.some(({text}) => redact(text) !== text)) return {}
  return {
    replacements: edits.map(edit => {
      const {file} = edit.span
      return new Lines(bundle.files.find(({path}) => path === file)?.text ?? '').replacement(edit, pathOf(subject, file))
    }),
  }
}
