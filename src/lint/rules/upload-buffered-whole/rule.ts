import {FORM_BYTES} from '../../../proxies/margins.ts'
import {FILES} from '../../cascades.ts'
import {UPLOAD} from '../../requests.ts'
import type {Rule} from '../../rule.ts'
import {inForce, placeOf, settingsOf, sizeIn, waysToGms} from '../../settings.ts'

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
      edits: setting.put(sizeIn(site.proxy, room)),
    }))
  },
}
