import {readFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {Ajv} from 'ajv'
import type {Log} from 'sarif'
import {describe, expect, it} from 'vitest'
import {
  causes,
  diagnosed,
  errored,
  failed,
  fixed,
  lintReport,
  passed,
  read,
  reportOf,
  seenLive,
  skipped,
  subject,
} from '../../test/support/reports.ts'
import type {Report} from '../model/report.ts'
import {sarif} from './sarif.ts'

const canvas = {colour: false, width: 100, verbose: false}
const validate = validator()

/** The report as it is printed, proven against the schema. */
function logOf(report: Report, pages: Parameters<typeof sarif>[2] = () => undefined): Log {
  const log = JSON.parse(sarif(report, canvas, pages)) as Log
  validate(log)
  return log
}

/** @throws Error when a log is not what the standard describes. */
function validator(): (log: unknown) => void {
  const file = join(dirname(fileURLToPath(import.meta.url)), '../../fixtures/sarif/sarif-2.1.0-rtm.5.json')
  const {id, $schema: _, ...schema} = JSON.parse(readFileSync(file, 'utf8')) as {id: string; $schema: string}
  // Draft 4 is read as draft 7: of what differs, the schema has only the name of its id.
  const ajv = new Ajv({
    allErrors: true,
    strict: false,
    // One pattern of the schema is none for RegExp with the flag u.
    unicodeRegExp: false,
    formats: {
      uri: (text: string) => URL.canParse(text),
      'uri-reference': (text: string) => !/[\s\\<>"{}|^`]/.test(text) && URL.canParse(text, 'file:///x/'),
      'date-time': (text: string) => !Number.isNaN(Date.parse(text)),
    },
  })
  const check = ajv.compile({$id: id, ...schema})
  return log => {
    if (!check(log)) throw new Error(ajv.errorsText(check.errors, {separator: '\n'}))
  }
}

it('has a validator that refuses what is no SARIF', () => {
  const log = logOf(reportOf(subject([failed])))
  expect(() => validate({...log, version: '2.0.0'})).toThrow(/version/)
  expect(() => validate({...log, runs: [{results: []}]})).toThrow(/tool/)
  expect(() => validate({...log, surprise: true})).toThrow(/additional/)
})

describe('findings of a file that was read', () => {
  it('have a rule, a region, the change that mends them and a fingerprint', () => {
    const [run] = logOf(lintReport).runs
    const result = run?.results?.find(({ruleId}) => ruleId === read.id)
    expect(run?.tool.driver.rules?.[result?.ruleIndex ?? -1]?.id).toBe(read.id)
    expect(result).toMatchObject({
      level: 'error',
      locations: [
        {
          physicalLocation: {
            artifactLocation: {uri: 'conf/my%20nginx.conf', uriBaseId: '%SRCROOT%'},
            region: {startLine: 14, startColumn: 5, endLine: 14, endColumn: 28},
          },
        },
      ],
      partialFingerprints: {'gmsProxyLine/v1': '0123456789abcdef0123456789abcdef'},
      fixes: [
        {
          artifactChanges: [
            {
              artifactLocation: {uri: 'conf/my%20nginx.conf'},
              replacements: [{deletedRegion: {startLine: 14, startColumn: 26, endLine: 14, endColumn: 28}, insertedContent: {text: '11m'}}],
            },
          ],
        },
      ],
    })
    expect(run?.columnKind).toBe('utf16CodeUnits')
    expect(run?.originalUriBaseIds).toHaveProperty('%SRCROOT%')
  })

  it('say why they do not count', () => {
    const results = logOf(lintReport).runs[0]?.results ?? []
    expect(results.flatMap(({suppressions = []}) => suppressions)).toEqual([
      {kind: 'inSource', justification: 'uploads go another way'},
      {kind: 'external', status: 'accepted', justification: 'it is in the baseline'},
    ])
  })

  it('carry the page of their rule', () => {
    const log = logOf(lintReport, id => ({
      id,
      kind: 'rule',
      title: 'Files are refused',
      concern: 'upload',
      severity: 'error',
      requirement: 'Files arrive.',
      markdown: '<!-- generated -->\n# upload\n\ntext',
    }))
    expect(log.runs[0]?.tool.driver.rules?.[0]).toMatchObject({
      shortDescription: {text: 'Files are refused'},
      fullDescription: {text: 'Files arrive.'},
      help: {markdown: '# upload\n\ntext'},
      defaultConfiguration: {level: 'error'},
    })
  })

  it('that lie outside of the folder are absolute', () => {
    const [location] = lintReport.subjects[0]?.outcomes[0]?.findings ?? []
    const moved = {...read, findings: [{...location!, location: {...location!.location!, file: '/etc/nginx/nginx.conf'}}]}
    const [run] = logOf({...lintReport, subjects: [{...lintReport.subjects[0]!, outcomes: [moved]}]}).runs
    expect(run?.results?.[0]?.locations?.[0]?.physicalLocation?.artifactLocation).toEqual({uri: 'file:///etc/nginx/nginx.conf'})
  })
})

describe('checks that failed in traffic', () => {
  const without = {...failed, findings: failed.findings.map(({location: _, ...finding}) => finding)}

  it('stand where the directive stands', () => {
    const [result] = logOf(reportOf(subject([passed, failed]))).runs[0]?.results ?? []
    expect(result?.locations?.[0]?.physicalLocation).toEqual({
      artifactLocation: {uri: 'haproxy.cfg', uriBaseId: '%SRCROOT%'},
      region: {startLine: 31, startColumn: 5},
    })
    expect(result?.properties?.['evidence']).toMatchObject({client: ['POST /genesys/cometd/connect → 504']})
  })

  it('without a place are said of the file, or have a name only', () => {
    const [ofFile] = logOf(reportOf(subject([without]))).runs[0]?.results ?? []
    expect(ofFile?.locations).toEqual([
      {
        physicalLocation: {artifactLocation: {uri: 'haproxy.cfg', uriBaseId: '%SRCROOT%'}},
        logicalLocations: [{name: failed.id, fullyQualifiedName: `./haproxy.cfg/${failed.id}`, kind: 'module'}],
      },
    ])
    const url = {name: 'http://chat.example.com', source: 'http://chat.example.com/', runtime: 'remote' as const}
    const [ofUrl] = logOf(reportOf(subject([without], url))).runs[0]?.results ?? []
    expect(ofUrl?.locations?.[0]).not.toHaveProperty('physicalLocation')
    const [rendered] = logOf(reportOf(subject([failed], {name: 'haproxy', source: 'rendered'}))).runs[0]?.results ?? []
    expect(rendered?.locations?.[0]).not.toHaveProperty('physicalLocation')
  })

  it('and those that were not judged are told apart', () => {
    const [run] = logOf(reportOf(subject([errored, skipped, passed]))).runs
    expect(run?.results).toEqual([])
    expect(run?.invocations?.[0]?.executionSuccessful).toBe(false)
    expect(run?.invocations?.[0]?.toolExecutionNotifications?.map(({level}) => level)).toEqual(['error', 'note'])
  })
})

describe('causes', () => {
  const resultsOf = (report: Report) => logOf(report).runs[0]?.results ?? []

  it('are results of their rule, with what speaks for them and the change', () => {
    const result = resultsOf(diagnosed).find(({ruleId}) => ruleId === 'polling-timeout-below-hold')
    expect(result).toMatchObject({
      level: 'error',
      rank: 100,
      locations: [{physicalLocation: {region: {startLine: 31, startColumn: 5}}}],
      relatedLocations: [{physicalLocation: {region: {startLine: 44}}}],
      fixes: [
        {
          artifactChanges: [
            {
              artifactLocation: {uri: 'haproxy.cfg'},
              replacements: [
                {
                  deletedRegion: {startLine: 31, startColumn: 1, endLine: 32, endColumn: 1},
                  insertedContent: {text: '    timeout server 45s\n'},
                },
              ],
            },
          ],
        },
      ],
      properties: {confidence: 'certain', explains: ['polling-hold-survives']},
    })
    expect(result?.message.text).toContain('traffic: polling-hold-survives failed')
  })

  it('are named by the failures that they explain, and weigh less where they explain nothing', () => {
    const results = resultsOf(diagnosed)
    const failure = results.find(({ruleId}) => ruleId === 'polling-hold-survives')
    expect(failure?.relatedLocations).toMatchObject([
      {physicalLocation: {region: {startLine: 31}}, message: {text: 'certain cause: polling-timeout-below-hold'}},
    ])
    expect(failure?.properties?.['causes']).toEqual(['polling-timeout-below-hold'])
    expect(results.find(({ruleId}) => ruleId === 'logging-bare')).toMatchObject({level: 'note', rank: 20})
  })

  it('of a URL have a name only', () => {
    const cause = resultsOf(seenLive).find(({ruleId}) => ruleId === 'upgrade-headers-missing')
    expect(cause?.locations).toEqual([
      {
        logicalLocations: [
          {name: 'upgrade-headers-missing', fullyQualifiedName: 'https://chat.example.com/upgrade-headers-missing', kind: 'module'},
        ],
      },
    ])
    expect(cause).not.toHaveProperty('fixes')
  })

  it('that fix mends carry its hunks, until they are written', () => {
    const mended = resultsOf(fixed).find(({ruleId}) => ruleId === 'polling-timeout-below-hold')
    expect(mended?.fixes?.[0]?.artifactChanges[0]?.replacements[0]?.insertedContent?.text).toBe('    timeout server 45s\n')
    expect(mended?.properties?.['mends']).toEqual(['polling-hold-survives'])
    const [only] = fixed.subjects
    const written = {...only!, fix: {...only!.fix!, written: [{file: 'haproxy.cfg', backup: 'haproxy.cfg.bak'}]}}
    expect(resultsOf({...fixed, subjects: [written]}).map(({ruleId}) => ruleId)).toEqual(['polling-chat'])
  })

  it('that nobody named, but a hunk mends, are results of the rule of the hunk', () => {
    const [only] = fixed.subjects
    const results = resultsOf({...fixed, subjects: [{...only!, causes: []}]})
    expect(results.find(({ruleId}) => ruleId === 'polling-timeout-below-hold')).toMatchObject({
      locations: [{physicalLocation: {artifactLocation: {uri: 'haproxy.cfg'}, region: {startLine: 31}}}],
      fixes: [{artifactChanges: [{replacements: [{}]}]}],
    })
  })
})

it('has one result for one rule and place', () => {
  const [finding] = failed.findings
  const twice = {...failed, findings: [finding!, {...finding!, message: 'Another thing there'}]}
  const elsewhere = {...failed, id: 'x', findings: [finding!, {...finding!, location: {...finding!.location!, line: 32}}]}
  const log = logOf(reportOf(subject([twice, elsewhere], {causes}), subject([twice], {name: './other'})))
  const results = log.runs[0]?.results ?? []
  const places = results.map(({ruleId, locations}) => JSON.stringify([ruleId, locations?.[0]?.physicalLocation]))
  expect(new Set(places).size).toBe(places.length)
  expect(results.map(({ruleId}) => ruleId)).toEqual([failed.id, 'x', 'x', 'polling-timeout-below-hold', 'logging-bare'])
  expect(results[0]?.message.text).toContain('Another thing there')
  // What was not said of the same place stays apart from what is suppressed there.
  expect(logOf(lintReport).runs[0]?.results).toHaveLength(3)
})
