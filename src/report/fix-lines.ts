import type {SubjectReport} from '../model/report.ts'
import {plural} from './plural.ts'

/** `3 changes mend 2 checks; none of them can be left out: found in 9 runs`, or that nothing has to be mended, or cannot be. */
export function fixSentence({fix}: Pick<SubjectReport, 'fix'>): string {
  if (!fix) return ''
  const {patch, hunks, mended, left, runs} = fix
  if (patch === '')
    return left.length === 0 ? 'Nothing has to be mended' : `No change was found that mends what fails (${plural(runs, 'run')})`
  const all = hunks.length === 1 ? 'it cannot be left out' : 'none of them can be left out'
  return `${plural(hunks.length, 'change')} ${hunks.length === 1 ? 'mends' : 'mend'} ${plural(mended.length, 'check')}; ${all}: found in ${plural(runs, 'run')}`
}

/** What `fix` found, in plain lines; none where nobody asked for it. */
export function fixLines(subject: SubjectReport): readonly string[] {
  const {fix} = subject
  if (!fix) return []
  return [
    fixSentence(subject),
    ...fix.hunks.map(({file, line, rules, mends}) => `${file}:${line} ${rules.join(', ')}: without it fail again: ${mends.join(', ')}`),
    ...(fix.patch === '' ? [] : [fix.patch]),
    ...fix.left.map(({id, remediation}) => `left to be mended by hand: ${id}: ${remediation}`),
    ...fix.unfelt.map(
      ({rule, location, message}) =>
        `not changed, felt by no check: ${location ? `${location.file}:${location.line} ` : ''}${rule}: ${message}`,
    ),
    ...(fix.written ?? []).map(({file, backup}) => `written ${file}, before: ${backup}`),
  ]
}
