import type {Edit} from '../../../model/bundle.ts'
import type {Site, Way} from '../../../proxies/site.ts'
import {HANDSHAKE, POLL, UPLOAD} from '../../requests.ts'
import type {Inspection, Rule, RuleDraft} from '../../rule.ts'
import {placeOf, titlesOf, waysToGms} from '../../settings.ts'
import {directiveAt, withoutLine} from '../../source.ts'

const ALLOW_ORIGIN = 'access-control-allow-origin'

export const rule: Rule = {
  meta: {
    id: 'forwarding-cors-duplicated',
    title: 'CORS headers are sent twice; browsers refuse the answer',
    concern: 'forwarding',
    severity: 'error',
    requirement: 'An answer has one Access-Control-Allow-Origin: GMS writes it, or the proxy does and takes that of GMS out.',
    remediation: {
      nginx: 'One add_header Access-Control-Allow-Origin, and proxy_hide_header Access-Control-Allow-Origin; or none, where GMS answers',
      apache:
        'One Header always set Access-Control-Allow-Origin, and Header unset (without always) for that of GMS; or none, where GMS answers',
      haproxy: 'http-response set-header in the place of add-header; or none, where GMS answers',
    },
    references: [
      'Fetch standard, CORS check: more than one value is a failure',
      'https://nginx.org/en/docs/http/ngx_http_headers_module.html#add_header',
      'https://httpd.apache.org/docs/2.4/mod/mod_headers.html#header (the tables onsuccess and always)',
    ],
    breaks: ['access-origins'],
    mayBreak: [],
  },
  inspect(inspection) {
    const found = new Map<string, RuleDraft>()
    for (const way of waysToGms(inspection.site, HANDSHAKE, POLL, UPLOAD)) {
      const draft = flawOf(way, inspection)
      if (draft) found.set(`${draft.span.file}:${draft.span.start}`, draft)
    }
    return [...found.values()]
  },
}

function flawOf(way: Way, inspection: Inspection): RuleDraft | undefined {
  const {promises} = inspection
  const added = way.addedAnswers.filter(({name}) => name === ALLOW_ORIGIN)
  const hidden = way.hiddenAnswers.some(({value}) => value === ALLOW_ORIGIN)
  const last = added.at(-1)
  // Who answers browsers is not to be seen in a file: only a promise says that GMS does.
  const times = added.length + (promises.cors === 'gms' && !hidden ? 1 : 0)
  if (!last || times < 2) return undefined
  return {
    span: placeOf(last),
    message: `Expected one Access-Control-Allow-Origin, ${titlesOf([way])} is answered with ${times}`,
    expected: added.length > 1 ? 'one line' : 'that of GMS alone, or proxy_hide_header',
    actual: added.map(({text}) => text).join('; ') + (times > added.length ? '; and that of GMS' : ''),
    edits: fewer(inspection.site, added, times > added.length),
  }
}

/** Where GMS answers browsers nobody else does; else one line stays, the one that errors get too. */
function fewer({config}: Site, added: Way['addedAnswers'], gmsAnswers: boolean): readonly Edit[] {
  const always = added.findLast(({text}) => /\balways\b/.test(text)) ?? added[0]
  return added
    .filter(each => gmsAnswers || each !== always)
    .flatMap(({span}) => {
      const line = span && directiveAt(config, span)
      return line ? withoutLine(config, line, 'Access-Control-Allow-Origin is answered once') : []
    })
}
