import type {Edit, Span} from '../../../model/bundle.ts'
import {FORM_BYTES} from '../../../proxies/margins.ts'
import type {Site} from '../../../proxies/site.ts'
import {FILES} from '../../cascades.ts'
import {listsOf} from '../../conditions.ts'
import {UPLOAD} from '../../requests.ts'
import {conditionsOf} from '../../rewrite-rules.ts'
import type {Inspection, Rule, RuleDraft} from '../../rule.ts'
import {inForce, placeOf, settingsOf, sizeIn, waysToGms} from '../../settings.ts'
import {blocksAround, directiveAt, replacedIn, siblingsAt} from '../../source.ts'

/** What the shortest form around a file may come to: its fields, their names and the boundaries between them. Bytes. */
const LEAST_FORM = 4096

export const rule: Rule = {
  meta: {
    id: 'upload-body-limit-too-small',
    title: 'Files that GMS accepts are refused by the proxy',
    concern: 'upload',
    severity: 'error',
    requirement: 'The largest file that GMS takes and the multipart form around it fit into what the proxy lets through.',
    remediation: {
      nginx: 'client_max_body_size {bodyMiB}m; (file limit + 1 MiB for the form) in the location of /genesys/2/chat-ntf',
      apache: 'Raise SecRequestBodyLimit, or the rule on Content-Length, to {bodyMiB} MiB (file limit + 1 MiB for the form)',
      haproxy: 'Remove the rule on req.body_size, or raise it to {bodyMiB} MiB (file limit + 1 MiB for the form)',
    },
    references: [
      'GMS Chat API V2 over CometD, "File management": upload-max-file-size',
      'https://nginx.org/en/docs/http/ngx_http_core_module.html#client_max_body_size',
      'https://github.com/owasp-modsecurity/ModSecurity/issues/1471',
    ],
    breaks: ['upload-largest-file'],
    mayBreak: [...FILES],
  },
  inspect(inspection) {
    const limits = tooSmall(inspection)
    return limits.length > 0 ? limits : refused(inspection)
  },
}

function tooSmall({site, promises}: Inspection): readonly RuleDraft[] {
  const room = sizeIn(site.proxy, promises.maxFileSize + FORM_BYTES)
  const needed = promises.maxFileSize + LEAST_FORM
  return settingsOf(waysToGms(site, UPLOAD), ({bodyLimit}) =>
    bodyLimit.value !== undefined && bodyLimit.value < needed ? bodyLimit : undefined,
  ).map(({setting}) => ({
    span: placeOf(setting),
    message: `Expected room for a file of ${promises.maxFileSize} bytes and the form around it, ${inForce(setting)} leaves ${setting.value ?? 0} bytes`,
    expected: room,
    actual: inForce(setting),
    edits: setting.put(room),
  }))
}

/** A rule on the length of requests that has no name of its own: an upload gets through, the largest one does not. */
function refused({site, promises}: Inspection): readonly RuleDraft[] {
  const length = promises.maxFileSize + LEAST_FORM
  const largest = {...UPLOAD, title: 'the largest upload', headers: {...UPLOAD.headers, 'content-length': String(length)}}
  const small = {...UPLOAD, headers: {...UPLOAD.headers, 'content-length': '1000'}}
  return waysToGms(site, small).flatMap(({listener}) => {
    const {end} = site.trace(listener, largest)
    if (end.kind !== 'answer') return []
    return [
      {
        span: end.span,
        message: `Expected an upload of ${length} bytes to reach GMS`,
        expected: `a file of ${promises.maxFileSize} bytes with the form around it at GMS`,
        actual: `answered by the proxy itself${end.status === undefined ? '' : `: ${end.status}`}`,
        edits: raised(site, end.span, Number(sizeIn('haproxy', promises.maxFileSize + FORM_BYTES))),
      },
    ]
  })
}

/** The number that a length is compared with, wherever the condition of the line stands. */
function raised({proxy, config}: Site, span: Span, room: number): readonly Edit[] {
  const line = directiveAt(config, span)
  if (!line) return []
  const why = 'the largest file, and the form around it'
  if (proxy === 'haproxy') {
    const lists = siblingsAt(config, span).filter(({name, args}) => name === 'acl' && listsOf(line).includes(args[0]?.value ?? ''))
    return [line, ...lists]
      .filter(({args}) => args.some(({value}) => /content-length|body_size|body_len/i.test(value)))
      .flatMap(each => replacedIn(config, each.span, /(?<=\bg[te]\s+)\d+/g, String(room), why))
  }
  const conditions = conditionsOf(config, line).filter(({args}) => /content-length/i.test(args[0]?.value ?? ''))
  const digits = `{${String(room).length + 1},}`
  const around = blocksAround(config, span).findLast(({name}) => /^if$/i.test(name))
  const compared = around?.args.filter(({value}) => /content-length/i.test(value)) ?? []
  return [
    ...conditions.flatMap(each => replacedIn(config, each.span, /(?<=\[0-9\]|\\d)\{\d+,\}/g, digits, why)),
    ...compared.flatMap(each => replacedIn(config, each.span, /(?<=-g[te]\s+)\d+/g, String(room), why)),
  ]
}
