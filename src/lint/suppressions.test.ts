import {expect, it} from 'vitest'
import type {ConfigBundle} from '../model/bundle.ts'
import {PROXIES} from '../proxies/index.ts'
import {suppressionsOf} from './suppressions.ts'

const IDS = ['tls-obsolete', 'upgrade-headers-missing', 'upgrade-http-1.0']

function read(text: string, file = 'nginx.conf') {
  const bundle: ConfigBundle = {proxy: 'nginx', entry: file, files: [{path: file, text}], origin: 'read'}
  return suppressionsOf(PROXIES.nginx.parse(bundle), {ids: IDS, nameOf: path => `conf/${path}`})
}

it.each([
  {what: 'behind a directive: its line', text: 'a 1; # gms-proxy-ignore tls-obsolete: because', lines: [1, 1]},
  {what: 'alone: the next line', text: '# gms-proxy-ignore tls-obsolete: because\na 1;', lines: [2, 2]},
  {what: 'alone: all lines of a directive', text: '# gms-proxy-ignore tls-obsolete: because\na 1\n  2\n  3;\nb;', lines: [2, 4]},
  {
    what: 'alone: the line of a block, not what is in it',
    text: '# gms-proxy-ignore tls-obsolete: because\nserver {\n  a;\n}',
    lines: [2, 2],
  },
  {what: 'above further comments', text: '# gms-proxy-ignore tls-obsolete: because\n# more\na 1;', lines: [3, 3]},
  {what: 'a file', text: 'a;\n# gms-proxy-ignore-file tls-obsolete: because', lines: undefined},
])('$what', ({text, lines}) => {
  const {comments, problems} = read(text)
  expect(problems).toEqual([])
  expect(comments).toHaveLength(1)
  expect(comments[0]).toMatchObject({ids: ['tls-obsolete'], reason: 'because'})
  expect(comments[0]?.lines).toEqual(lines)
})

it('takes several ids, and a reason with colons', () => {
  const {comments} = read('a; # gms-proxy-ignore tls-obsolete, upgrade-http-1.0: see RFC: 1:2')
  expect(comments[0]).toMatchObject({ids: ['tls-obsolete', 'upgrade-http-1.0'], reason: 'see RFC: 1:2'})
})

it('leaves other comments alone', () => {
  expect(read('# gms-proxy 0.1.0, nginx\n# ignore gms-proxy-ignore\na;')).toEqual({comments: [], problems: []})
})

it.each([
  {text: 'a; # gms-proxy-ignore tls-obsolete', says: 'gives no reason'},
  {text: 'a; # gms-proxy-ignore tls-obsolete:  ', says: 'gives no reason'},
  {text: 'a; # gms-proxy-ignore', says: 'names no rule'},
  {text: 'a; # gms-proxy-ignore: because', says: 'names no rule'},
  {text: 'a; # gms-proxy-ignore tls-obsolet: because', says: 'did you mean "tls-obsolete"'},
  {text: 'a; # gms-proxy-ignore-next tls-obsolete: because', says: 'gms-proxy-ignore-next is not known'},
])('says aloud what is wrong with $text', ({text, says}) => {
  const {comments, problems} = read(text)
  expect(comments).toEqual([])
  expect(problems).toHaveLength(1)
  expect(problems[0]).toContain(says)
  expect(problems[0]).toMatch(/^conf\/nginx\.conf:1:4: /)
})

it('counts the lines of a file that stands on one', () => {
  const {comments} = read(`# gms-proxy-ignore tls-obsolete: because\n${'a; '.repeat(200_000)}`)
  expect(comments[0]?.lines).toEqual([2, 2])
})
