import type {Rule} from '../../rule.ts'

/** Limits on the body of a request, by the name they are written under. */
const ON_BODIES = /body|content.?length/i

export const rule: Rule = {
  meta: {
    id: 'upload-limit-not-enforced',
    title: 'A body limit is written down but has no effect',
    concern: 'upload',
    severity: 'warning',
    requirement: 'A limit on the size of uploads that an operator wrote refuses what is larger.',
    remediation: {
      apache:
        'Remove LimitRequestBody, which does not apply to proxied requests, and leave the limit to GMS (upload-max-file-size),\nto mod_security (SecRequestBodyLimit) or to RewriteCond "%{HTTP:Content-Length}" with [R=413]',
      haproxy: 'Compare req.body_size, which is what the client announces, in the place of req.body_len, which is what fits into a buffer',
    },
    references: [
      'https://httpd.apache.org/docs/2.4/mod/core.html#limitrequestbody',
      'Measured: httpd 2.4.71 passes 2 MB on with LimitRequestBody 1048576 in the server, the VirtualHost, a Location and a Proxy',
      'https://docs.haproxy.org/2.6/configuration.html#7.3.6-req.body_len',
    ],
    breaks: [],
    mayBreak: [],
    provenBy: {by: 'evidence', because: 'a file above the limit arrives at GMS: no check demands that a proxy refuses it'},
  },
  inspect({site}) {
    return site.oddities
      .filter(({kind, name}) => kind === 'limit-without-effect' && ON_BODIES.test(name))
      .map(({span, name, because, mend}) => ({
        span,
        message: `Expected ${name} to limit uploads: ${because}`,
        expected: 'a limit that is in force, or none',
        actual: because,
        edits: mend,
      }))
  },
}
