import type {Hunk, SubjectReport} from '../model/report.ts'
import {shellWord} from '../model/shell.ts'
import type {Canvas} from './canvas.ts'
import {harmless, oneLine, wrap} from './plain.ts'
import {fixSentence} from './fix-lines.ts'
import {placeOf, row} from './text-finding.ts'
import type {Styles} from './text-styles.ts'

/** The patch, what each hunk of it mends, what is left, and what rules still see. */
export function fixBlocks({fix, name}: SubjectReport, canvas: Canvas, style: Styles): readonly (readonly string[])[] {
  if (!fix) return []
  const {patch, hunks, mended, left, unfelt, written} = fix
  return [
    patch === ''
      ? []
      : [
          ...wrap(fixSentence({fix}), canvas.width).map(line => style.bold(line)),
          '',
          ...harmless(patch)
            .split('\n')
            .map(line => coloured(line, style)),
        ],
    patch === '' ? [] : hunks.flatMap(hunk => hunkLines(hunk, hunks.length > 1 ? mended : [], canvas, style)),
    left.length === 0
      ? []
      : [
          style.bold('Left to be mended by hand'),
          ...left.flatMap(({id, remediation}) => [`  ${style.of('failed', id)}`, ...row('Mend', remediation, canvas, style)]),
        ],
    unfelt.length === 0
      ? []
      : [
          style.dim('Not changed, because no check that was run felt it:'),
          ...unfelt.flatMap(({rule, location, message}) =>
            wrap(`${location ? `${placeOf({...location, text: ''}).trim()} ` : ''}${rule}: ${message}`, canvas.width - 2).map(
              (line, index) => style.dim(`${index === 0 ? '  ' : '    '}${harmless(line)}`),
            ),
          ),
        ],
    written === undefined ? [] : written.map(({file, backup}) => `written ${oneLine(file)}   before: ${oneLine(backup)}`),
    patch === '' && left.length === 0 ? [`Nothing has to be mended in ${oneLine(name)}.`] : [],
  ]
}

function hunkLines({file, line, mends, rules, why}: Hunk, mended: readonly string[], canvas: Canvas, style: Styles): readonly string[] {
  const all = mended.length > 1 && mended.every(id => mends.includes(id))
  return [
    `${oneLine(file)}:${line}  ${style.bold(rules.join(', '))}`,
    ...(why.length === 0 ? [] : row('Why', why.join('; ').replace(/\s+/g, ' '), canvas, style, 2)),
    ...row(
      'Without it',
      all ? `all ${mended.length} fail again` : `${mends.join(', ')} ${mends.length === 1 ? 'fails' : 'fail'} again`,
      canvas,
      style,
    ),
  ]
}

function coloured(line: string, style: Styles): string {
  if (/^(?:---|\+\+\+|@@)/.test(line)) return style.dim(line)
  if (line.startsWith('+')) return style.green(line)
  return line.startsWith('-') ? style.red(line) : line
}

/** What somebody does next. */
export function fixNext({fix, name}: SubjectReport, reproduce: string): string {
  if (!fix) return ''
  if (fix.left.length > 0) return sameWith('diagnose', reproduce, name)
  return fix.patch === '' || fix.written ? '' : `${sameWith('fix', reproduce, name)} --write`
}

/** The command line of this run with another verb, and the result on the terminal. */
export function sameWith(verb: 'diagnose' | 'fix', reproduce: string, name: string): string {
  const [, rest] = /^gms-proxy [a-z]+( .*)$/s.exec(reproduce) ?? []
  return `gms-proxy ${verb}${rest?.replace(/ --(?:(?:report|format)[= ](?:'[^']*'|[^ '])+|write(?![^ ]))/g, '') ?? ` ${shellWord(name)}`}`
}
