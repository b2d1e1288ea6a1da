import type {Rule} from '../../rule.ts'

export const rule: Rule = {
  meta: {
    id: 'listener-text-ignored',
    title: 'Text behind the bracket of a section line is ignored',
    concern: 'listener',
    severity: 'warning',
    requirement: 'Each directive stands on a line of its own: what follows `>` on a section line is dropped without a word.',
    remediation: {
      apache: 'Put each directive on a line of its own below the <VirtualHost …> line',
    },
    references: [
      'Measured on httpd 2.4.71: `<VirtualHost *:80> ProxyRequests on RequestHeader set …` passes -t, and nothing behind the bracket is in force',
    ],
    breaks: [],
    mayBreak: ['forwarding-scheme', 'forwarding-host', 'forwarding-client-address', 'access-not-a-forward-proxy'],
    provenBy: {
      by: 'binary',
      because: 'which check fails depends on what was meant to be in force; httpd accepts the file and does not do it',
    },
  },
  inspect: ({site}) =>
    site.oddities
      .filter(({kind}) => kind === 'text-ignored')
      .map(({span, name, because, mend}) => ({
        span,
        message: `Expected directives on lines of their own: "${name}" has no effect`,
        expected: 'nothing behind the closing bracket',
        actual: because,
        edits: mend,
      })),
}
