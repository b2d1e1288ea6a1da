import {ALL_CHAT} from '../../cascades.ts'
import type {Oddity} from '../../../proxies/site.ts'
import type {Rule} from '../../rule.ts'

/** What the proxy's own test stumbles over, and what it could do instead. */
const REFUSED: Readonly<Partial<Record<Oddity['kind'], {message: string; expected: string}>>> = {
  'word-removed': {message: 'Expected a directive that this version still knows', expected: 'its successor'},
  'word-unknown': {message: 'Unknown directive', expected: 'a directive that this version knows'},
  'module-missing': {message: 'Missing module', expected: 'the module is loaded'},
  'variable-unknown': {message: 'Unknown variable', expected: 'a variable that something fills'},
  refused: {message: 'Expected what the proxy accepts', expected: 'accepted by its own test'},
}

export const rule: Rule = {
  meta: {
    id: 'listener-refuses-to-start',
    title: 'The proxy does not start with this configuration',
    concern: 'listener',
    severity: 'error',
    requirement: 'The configuration is accepted by `nginx -t`, `httpd -t` or `haproxy -c` of the version that runs it, and by its start.',
    remediation: {
      nginx: 'Correct the line that `nginx -t` names; a variable of a map needs its map {} at http level',
      apache: 'Load the module that brings the directive (LoadModule, or a2enmod), or correct the line that `httpd -t` names',
      haproxy: 'Replace the removed word by its successor: reqadd by http-request add-header, reqrep by http-request replace-path',
    },
    references: [
      'nginx: command-line parameters, -t',
      'Apache httpd: -t; mod_lbmethod_byrequests and mod_slotmem_shm are looked for at the start only',
      'HAProxy 2.1: reqadd, reqrep, reqdel, rspadd and their kin were removed',
    ],
    breaks: ['listener-config-accepted'],
    mayBreak: ALL_CHAT,
  },
  inspect: ({site}) =>
    site.oddities.flatMap(({kind, span, name, because, mend}) => {
      const refused = REFUSED[kind]
      return refused ? [{span, message: `${refused.message}: "${name}"`, expected: refused.expected, actual: because, edits: mend}] : []
    }),
}
