import type {Layout} from '../proxy.ts'

/** Where a distribution keeps things. Relative paths are below `serverRoot`. */
export interface ApacheLayout {
  /** Says where the file goes. */
  place: string
  fragmentPlace: string
  serverRoot: string
  user: string
  group: string
  /** Empty: what httpd was built with. */
  pidFile: string
  modules: string
  /** Compiled into the server: a `LoadModule` of these would only warn. */
  builtIn: readonly string[]
  /** Where a service manager waits for a message of httpd. */
  systemdModule: string
  errorLog: string
  customLog: string
  /** Authorities that the system trusts, PEM. */
  authorities: string
  /** Ports that the stock configuration listens on already: a fragment must not do so again. */
  stockPorts: readonly number[]
  /** How a person switches modules on. */
  enable(modules: readonly string[]): string
}

const CORE = ['so', 'http'] as const
const loads = (modules: readonly string[]) => `Needs these modules: ${modules.join(' ')}`

/** Read from the official image, Debian's apache2 package, RHEL's httpd package, and `make install` of the source. */
export const APACHE_LAYOUTS: Readonly<Record<Layout, ApacheLayout>> = {
  docker: {
    place: 'Laid out for the official httpd image: mount it at /usr/local/apache2/conf/httpd.conf.',
    fragmentPlace: 'Laid out for the official httpd image: mount it beside conf/httpd.conf, and Include it at the end of that file.',
    serverRoot: '/usr/local/apache2',
    user: 'www-data',
    group: 'www-data',
    pidFile: '',
    modules: 'modules',
    builtIn: CORE,
    systemdModule: '',
    errorLog: '/proc/self/fd/2',
    customLog: '/proc/self/fd/1',
    authorities: '/etc/ssl/certs/ca-certificates.crt',
    stockPorts: [80],
    enable: loads,
  },
  debian: {
    place: 'Laid out for Debian and Ubuntu: put it at /etc/apache2/apache2.conf.',
    fragmentPlace: 'Laid out for Debian and Ubuntu: put it at /etc/apache2/sites-available/gms-chat.conf, then a2ensite gms-chat.',
    serverRoot: '/etc/apache2',
    user: 'www-data',
    group: 'www-data',
    pidFile: '/var/run/apache2/apache2.pid',
    modules: '/usr/lib/apache2/modules',
    builtIn: [...CORE, 'watchdog', 'log_config', 'logio', 'version', 'unixd'],
    systemdModule: '',
    errorLog: '/var/log/apache2/gms-chat-error.log',
    customLog: '/var/log/apache2/gms-chat-access.log',
    authorities: '/etc/ssl/certs/ca-certificates.crt',
    stockPorts: [80, 443],
    enable: modules => `Needs these modules: a2enmod ${modules.join(' ')}`,
  },
  rhel: {
    place: 'Laid out for RHEL and Fedora: put it at /etc/httpd/conf/httpd.conf.',
    fragmentPlace: 'Laid out for RHEL and Fedora: put it at /etc/httpd/conf.d/gms-chat.conf.',
    serverRoot: '/etc/httpd',
    user: 'apache',
    group: 'apache',
    pidFile: '/run/httpd/httpd.pid',
    modules: 'modules',
    builtIn: CORE,
    systemdModule: 'modules/mod_systemd.so',
    errorLog: 'logs/gms-chat-error.log',
    customLog: 'logs/gms-chat-access.log',
    authorities: '/etc/pki/tls/certs/ca-bundle.crt',
    stockPorts: [80, 443],
    enable: loads,
  },
  source: {
    place: 'Laid out for an httpd that was built from source: put it at /usr/local/apache2/conf/httpd.conf.',
    fragmentPlace: 'Laid out for an httpd that was built from source: Include it at the end of /usr/local/apache2/conf/httpd.conf.',
    serverRoot: '/usr/local/apache2',
    user: 'daemon',
    group: 'daemon',
    pidFile: '',
    modules: 'modules',
    builtIn: CORE,
    systemdModule: '',
    errorLog: 'logs/gms-chat-error.log',
    customLog: 'logs/gms-chat-access.log',
    authorities: '/etc/ssl/certs/ca-certificates.crt',
    stockPorts: [80],
    enable: loads,
  },
}
