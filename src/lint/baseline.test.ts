import {describe, expect, it} from 'vitest'
import {baselineOf, fingerprintOf, isReplaceable, KnownFindings, normalised, parseBaseline} from './baseline.ts'

const mark = {rule: 'tls-obsolete', file: 'nginx.conf', text: 'ssl_protocols TLSv1;'}

describe('a baseline', () => {
  it('counts equal findings, and is ordered', () => {
    const other = {...mark, file: 'a.conf'}
    expect(baselineOf([mark, other, mark])).toEqual({
      schema: 'gms-proxy/baseline/v1',
      findings: [
        {...other, count: 1},
        {...mark, count: 2},
      ],
    })
    expect(JSON.stringify(baselineOf([mark, other]))).toBe(JSON.stringify(baselineOf([other, mark])))
  })

  it('answers for as many findings as it holds, and tells which are gone', () => {
    const known = new KnownFindings(baselineOf([mark, mark]))
    expect(known.take(mark)).toBe(true)
    expect(known.take({...mark, rule: 'tls-other'})).toBe(false)
    const all = new Set([mark.rule])
    expect(known.vanished(new Set([mark.file]), all)).toEqual([mark])
    expect(known.vanished(new Set(['other.conf']), all), 'files that were not read').toEqual([])
    expect(known.vanished(new Set([mark.file]), new Set()), 'rules that were not asked').toEqual([])
    expect(known.take(mark)).toBe(true)
    expect(known.take(mark), 'a third one is new').toBe(false)
    expect(known.vanished(new Set([mark.file]), all)).toEqual([])
  })

  it('is read as it was written', () => {
    const baseline = baselineOf([mark])
    expect(parseBaseline(JSON.stringify(baseline), 'b.json')).toEqual(baseline)
  })

  it.each([
    ['no JSON', '{', /is not JSON/],
    ['another file', '{"schema":"gms-proxy/report/v1"}', /schema gms-proxy\/baseline\/v1/],
    ['another version', '{"schema":"gms-proxy/baseline/v2","findings":[]}', /schema gms-proxy\/baseline\/v1/],
    ['no findings', '{"schema":"gms-proxy/baseline/v1"}', /no finding/],
    ['a count of none', '{"schema":"gms-proxy/baseline/v1","findings":[{"rule":"a","file":"b","text":"c","count":0}]}', /no finding/],
    [
      'a count beyond all files',
      '{"schema":"gms-proxy/baseline/v1","findings":[{"rule":"a","file":"b","text":"c","count":1000000000}]}',
      /no finding/,
    ],
    ['null', 'null', /schema/],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseBaseline(text, 'b.json')).toThrow(message)
  })
})

it.each([
  ['', true],
  ['{"schema":"gms-proxy/baseline/v1","findings":[]}', true],
  ['{"schema":"gms-proxy/baseline/v9"}', true],
  ['{"schema":"gms-proxy/report/v1"}', false],
  ['events {}', false],
  ['null', false],
])('writes over %j: %s', (text, may) => expect(isReplaceable(text)).toBe(may))

it('knows a line again however it is indented', () => {
  expect(normalised('\tssl_protocols   TLSv1; \r')).toBe(mark.text)
})

it('tells equal findings apart by their number', () => {
  expect(fingerprintOf(mark, 0)).toMatch(/^[0-9a-f]{32}$/)
  expect(fingerprintOf(mark, 0)).toBe(fingerprintOf({...mark}, 0))
  expect(new Set([fingerprintOf(mark, 0), fingerprintOf(mark, 1), fingerprintOf({...mark, file: 'b'}, 0)]).size).toBe(3)
})
