import type {Layout} from '../proxy.ts'

/** Where an installation of nginx keeps things. */
export interface Place {
  user: string
  pid: string
  errorLog: string
  accessLog: string
  /** Authorities that the system trusts, PEM. */
  systemAuthorities: string
  /** What an operator of this layout must know. */
  note: string
}

/**
 * The official image (https://github.com/nginx/docker-nginx), Debian's and Red Hat's packages, and `./configure` without options. A module
 * that the configuration needs is compiled into all of them but the last.
 */
export const LAYOUTS: Readonly<Record<Layout, Place>> = {
  docker: {
    user: 'nginx',
    pid: '/run/nginx.pid',
    errorLog: '/dev/stderr',
    accessLog: '/dev/stdout',
    systemAuthorities: '/etc/ssl/certs/ca-certificates.crt',
    note: '',
  },
  debian: {
    user: 'www-data',
    pid: '/run/nginx.pid',
    errorLog: '/var/log/nginx/error.log',
    accessLog: '/var/log/nginx/access.log',
    systemAuthorities: '/etc/ssl/certs/ca-certificates.crt',
    note: '',
  },
  rhel: {
    user: 'nginx',
    pid: '/run/nginx.pid',
    errorLog: '/var/log/nginx/error.log',
    accessLog: '/var/log/nginx/access.log',
    systemAuthorities: '/etc/pki/tls/certs/ca-bundle.crt',
    note: 'SELinux: setsebool -P httpd_can_network_connect on',
  },
  source: {
    user: 'nobody',
    pid: 'logs/nginx.pid',
    errorLog: 'logs/error.log',
    accessLog: 'logs/access.log',
    systemAuthorities: '/etc/ssl/certs/ca-certificates.crt',
    note: 'configure with --with-http_ssl_module --with-http_v2_module --with-http_realip_module --with-http_stub_status_module, as far as they are used below',
  },
}
