import type {Rule} from '../../rule.ts'

export const rule: Rule = {
  meta: {
    id: 'upload-temp-unwritable',
    title: 'The proxy cannot write the temporary file of an upload or download',
    concern: 'upload',
    severity: 'error',
    requirement: 'The user that the workers run as may write where the proxy puts bodies that do not fit into its buffers.',
    remediation: {
      nginx:
        'Give client_body_temp_path and proxy_temp_path to the user of the workers (chown), or name folders that are his;\nproxy_max_temp_file_size 0; for downloads',
    },
    references: [
      'https://nginx.org/en/docs/http/ngx_http_core_module.html#client_body_temp_path',
      'https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_temp_path',
      'Measured: a client that reads slowly gets 3,958,592 bytes of a download of 20 MB, with status 200; the log says "(13: Permission denied) while reading upstream"',
    ],
    breaks: [],
    mayBreak: ['upload-largest-file', 'upload-download-intact', 'upload-slow-client'],
    provenBy: {
      by: 'evidence',
      because:
        'the owner of a folder stands in no configuration: the log says [crit] … (13: Permission denied), (28: No space left) or (30: Read-only file system)',
    },
  },
}
