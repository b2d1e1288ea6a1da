import type {Edit} from '../../../model/bundle.ts'
import {FORM_BYTES} from '../../../proxies/margins.ts'
import type {Site} from '../../../proxies/site.ts'
import {FILES_PATH} from '../../../wire/chat.ts'
import {FILES} from '../../cascades.ts'
import {UPLOAD} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf, settingsOf, sizeIn, waysToGms} from '../../settings.ts'
import {allOf, blocksAround, withoutLine} from '../../source.ts'

export const rule: Rule = {
  meta: {
    id: 'upload-buffered-whole',
    title: 'The proxy waits for the whole body, and fails when it exceeds a buffer',
    concern: 'upload',
    severity: 'warning',
    requirement: 'A body is passed on as it comes, or waits where the largest file and the form around it have room.',
    remediation: {
      apache:
        'SSLVerifyClient, SSLCipherSuite and SSLOptions in the VirtualHost in the place of <Location> or <Directory>,\nor SSLRenegBufferSize of {bodyMiB} MiB, in bytes, beside them',
    },
    references: [
      'https://httpd.apache.org/docs/2.4/mod/mod_ssl.html#sslrenegbuffersize',
      'mod_ssl: a body that comes before the handshake is repeated is kept in memory, 131072 bytes at the most (413 above)',
    ],
    breaks: ['upload-largest-file'],
    mayBreak: [...FILES],
  },
  inspect({site, promises}) {
    const room = promises.maxFileSize + FORM_BYTES
    return settingsOf(waysToGms(site, UPLOAD), ({bodyBuffer}) =>
      bodyBuffer.value !== undefined && bodyBuffer.value < promises.maxFileSize ? bodyBuffer : undefined,
    ).map(({setting}) => ({
      span: placeOf(setting),
      message: `Expected a file of ${promises.maxFileSize} bytes to be passed on as it comes, ${inForce(setting)} keeps it whole in ${setting.value ?? 0} bytes`,
      expected: `no such buffer, or ${sizeIn(site.proxy, room)} bytes`,
      actual: inForce(setting),
      edits: unasked(site, setting.put(sizeIn(site.proxy, room))),
    }))
  },
}

/** A certificate that files can do without is not asked for: after the request is there, TLS 1.3 can ask few clients at all (measured: 403). */
function unasked({config}: Site, otherwise: readonly Edit[]): readonly Edit[] {
  const edits = allOf(config, /^SSLVerifyClient$/i).flatMap(line => {
    const location = blocksAround(config, line.span).findLast(({name}) => /^Location$/i.test(name))
    if (!/^optional/i.test(line.args[0]?.value ?? '') || location?.args[0]?.value !== FILES_PATH) return []
    return withoutLine(
      config,
      location.block?.length === 1 ? location : line,
      'nobody is asked for a certificate once the request is there',
    )
  })
  return edits.length > 0 ? edits : otherwise
}
