import type {Fix as Mend, Location as Place, LogicalLocation, PhysicalLocation, Result, Suppression as Suppressed} from 'sarif'
import type {Cause, Confidence, Finding, Hunk, Location, Outcome, Replacement, SubjectReport, Suppression} from '../model/report.ts'
import {causesOf, isMended} from './joined.ts'
import {harmless} from './plain.ts'

/** The name that code scanning knows for the folder of the sources. */
export const ROOT = '%SRCROOT%'

/** An outcome with the subject that it is about. */
export interface Judged {
  subject: SubjectReport
  outcome: Outcome
}

/** What a check felt, or a rule read, and why it does not count where it does not. */
export function resultsOf({subject, outcome}: Judged, ids: readonly string[]): readonly Result[] {
  const {findings, suppressed = [], status} = outcome
  return [
    ...(status === 'failed' ? findings.map((finding, index) => resultOf(subject, outcome, finding, {ids, index})) : []),
    ...suppressed.map((finding, index) => ({
      ...resultOf(subject, outcome, finding, {ids, index: findings.length + index}),
      suppressions: [suppressionOf(finding.suppression)],
    })),
  ]
}

function resultOf(
  subject: SubjectReport,
  outcome: Outcome,
  finding: Finding,
  {ids, index}: {ids: readonly string[]; index: number},
): Result {
  const {message, expected, actual, remediation, evidence, fingerprint, replacements = []} = finding
  const {id, severity, transport} = outcome
  const causes = causesOf(subject, outcome)
  const places = causes.flatMap(cause =>
    cause.location ? [relatedTo(subject, cause.location, `${cause.confidence} cause: ${cause.id}`)] : [],
  )
  return {
    ruleId: id,
    ruleIndex: ids.indexOf(id),
    level: severity,
    message: {
      text: said([
        message,
        `Expected: ${expected}`,
        `Actual: ${actual}`,
        ...causes.map(cause => `Cause (${cause.confidence}): ${cause.id}, ${cause.title}`),
        `Mend: ${remediation}`,
      ]),
    },
    locations: [placeOf(subject, finding.location, id)],
    ...(places.length > 0 ? {relatedLocations: places} : {}),
    partialFingerprints: {
      [fingerprint === undefined ? 'gmsProxyOutcome/v1' : 'gmsProxyLine/v1']: fingerprint ?? `${subject.name}:${id}:${index}`,
    },
    ...fixesOf(subject, remediation, replacements),
    properties: {
      subject: subject.name,
      expected,
      actual,
      ...(transport === undefined ? {} : {transport}),
      ...(causes.length > 0 ? {causes: causes.map(cause => cause.id)} : {}),
      ...(evidence.client.length + evidence.upstream.length > 0 ? {evidence} : {}),
    },
  }
}

/** How much a cause is worth looking at, of 100. */
const RANKS: Readonly<Record<Confidence, number>> = {certain: 100, likely: 60, possible: 20}

/** A cause where it stands, with everything that speaks for it. What `fix --write` took away is no result of the file any more. */
export function causeOf(subject: SubjectReport, cause: Cause, ids: readonly string[]): readonly Result[] {
  const {id, confidence, severity, title, because, location, also = [], explains, remediation, replacements = []} = cause
  if (subject.fix?.written && isMended(subject, cause)) return []
  const mends = (subject.fix?.hunks ?? []).filter(({rules}) => rules.includes(id))
  return [
    {
      ruleId: id,
      ruleIndex: ids.indexOf(id),
      level: confidence === 'possible' ? 'note' : severity,
      rank: RANKS[confidence],
      message: {
        text: said([
          `${title} (${confidence})`,
          ...because,
          ...(explains.length > 0 ? [`Explains: ${explains.join(', ')}`] : []),
          `Mend: ${remediation}`,
        ]),
      },
      locations: [placeOf(subject, location, id)],
      ...(also.length > 0 ? {relatedLocations: also.map(place => relatedTo(subject, place, 'the same here'))} : {}),
      partialFingerprints: {'gmsProxyCause/v1': `${subject.name}:${id}`},
      ...(mends.length > 0
        ? fixesOf(
            subject,
            remediation,
            mends.flatMap(hunk => hunk.replacements ?? []),
          )
        : fixesOf(subject, remediation, replacements)),
      properties: {
        subject: subject.name,
        confidence,
        because: because.map(harmless),
        explains,
        ...(mends.length > 0 ? {mends: [...new Set(mends.flatMap(hunk => hunk.mends))]} : {}),
      },
    },
  ]
}

/** Hunks of `fix` that no cause stands for. */
export function leftOver({fix, causes}: SubjectReport): readonly Hunk[] {
  if (!fix || fix.written) return []
  return fix.hunks.filter(({rules}) => !causes.some(({id}) => rules.includes(id)))
}

/** A change of `fix` where it is made. */
export function hunkOf(
  subject: SubjectReport,
  {file, line, rules, why, mends, replacements = []}: Hunk,
  ids: readonly string[],
): readonly Result[] {
  const [id] = rules
  if (id === undefined) return []
  return [
    {
      ruleId: id,
      ruleIndex: ids.indexOf(id),
      level: 'warning',
      message: {text: said([...why, `Without this change fail again: ${mends.join(', ')}`])},
      locations: [placeOf(subject, {file, line}, id)],
      partialFingerprints: {'gmsProxyCause/v1': `${subject.name}:${id}`},
      ...fixesOf(subject, why.join('; '), replacements),
      properties: {subject: subject.name, mends},
    },
  ]
}

/** One result for one rule and place: a check may find several things wrong there, and several subjects may share a file. */
export function distinct(results: readonly Result[]): Result[] {
  const byPlace = new Map<string, Result>()
  for (const result of results) {
    const key = JSON.stringify([
      result.ruleId,
      result.locations?.map(({physicalLocation: at, logicalLocations: named}) => [at, at ? '' : named]),
      result.suppressions,
    ])
    const known = byPlace.get(key)
    const texts = [known?.message.text ?? '', result.message.text ?? '']
    byPlace.set(key, known ? {...result, ...known, message: {text: [...new Set(texts)].join('\n\n')}} : result)
  }
  return [...byPlace.values()]
}

function said(lines: readonly string[]): string {
  return harmless(lines.join('\n'))
}

function relatedTo(subject: SubjectReport, location: Location, text: string): Place {
  return {...placeOf(subject, location, ''), message: {text: harmless(text)}}
}

/** Replacements as a fix; nothing where the file lies nowhere. */
function fixesOf({source}: SubjectReport, remediation: string, replacements: readonly Replacement[]): {fixes?: Mend[]} {
  const files = [...new Set(replacements.map(({file}) => file))].filter(() => source !== 'rendered')
  if (files.length === 0) return {}
  return {
    fixes: [
      {
        description: {text: harmless(remediation)},
        artifactChanges: files.map(file => ({
          artifactLocation: artifactOf(file),
          replacements: replacements
            .filter(replacement => replacement.file === file)
            .map(({line, column, endLine, endColumn, text}) => ({
              deletedRegion: {startLine: line, startColumn: column, endLine, endColumn},
              insertedContent: {text},
            })),
        })),
      },
    ],
  }
}

/**
 * A place in a file, as a person, or a scanner, opens it. What failed without one is said of the whole file; behind a URL, and in what was
 * rendered and lies nowhere, there are names only.
 */
export function placeOf({name, source, runtime}: SubjectReport, location: Location | undefined, id: string): Place {
  const isFile = source !== 'rendered' && runtime !== 'remote' && name !== '-'
  const logical: LogicalLocation = {
    name: location ? `${location.file}:${location.line}` : id,
    fullyQualifiedName: location ? `${name}/${location.file}:${location.line}:${location.column ?? 1}` : `${name}/${id}`,
    kind: 'module',
  }
  if (!isFile) return {logicalLocations: [logical]}
  return {physicalLocation: physicalOf(name, location), ...(location ? {} : {logicalLocations: [logical]})}
}

function physicalOf(subject: string, location: Location | undefined): PhysicalLocation {
  if (!location) return {artifactLocation: artifactOf(subject)}
  const {file, line, column, endLine, endColumn, text} = location
  return {
    artifactLocation: artifactOf(file),
    region: {
      startLine: line,
      ...(column === undefined ? {} : {startColumn: column}),
      ...(endLine === undefined || endColumn === undefined ? {} : {endLine, endColumn}),
      ...(text === undefined ? {} : {snippet: {text: harmless(text)}}),
    },
  }
}

/** Relative to the folder of the run; absolute paths as `file:` URIs. */
function artifactOf(file: string): {uri: string; uriBaseId?: string} {
  const path = file
    .replaceAll('\\', '/')
    .replace(/^(\.\/)+/, '')
    .replace(/\/+$/, '')
  const uri = path.split('/').map(encodeURIComponent).join('/')
  return path.startsWith('/') ? {uri: `file://${uri}`} : {uri, uriBaseId: ROOT}
}

function suppressionOf({by, reason}: Suppression): Suppressed {
  if (by === 'comment') return {kind: 'inSource', justification: reason ?? ''}
  return {kind: 'external', status: 'accepted', justification: 'it is in the baseline'}
}
