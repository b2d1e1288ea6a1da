import type {Layout} from '../proxy.ts'

/** Where an installation of HAProxy keeps things; '' is nothing of that kind. */
export interface Installed {
  user: string
  group: string
  /** Target of `log`, with what belongs to it. */
  log: string
  /** Who keeps what is written there. */
  logKeeper: string
  chroot: string
  /** Control socket. It may change everything, so it is for root alone. */
  socket: string
  pidfile: string
  /** Started without `-W` or `-Ws`: the file itself has to ask for a master process, without which SIGUSR2 reloads nothing. */
  masterWorker: boolean
  /** Authorities that the system trusts, for versions without `@system-ca`. */
  authorities: string
  /** Folder of configurations. */
  folder: string
}

const STDOUT = 'stdout format raw local0 info'

/** The packages' own files: docker-library/haproxy, Debian's haproxy.cfg and unit, Red Hat's haproxy.cfg and unit, `make install`. */
export const LAYOUTS: Readonly<Record<Layout, Installed>> = {
  docker: {
    user: 'haproxy',
    group: 'haproxy',
    log: STDOUT,
    logKeeper: 'standard output, which Docker keeps',
    chroot: '',
    socket: '',
    pidfile: '',
    masterWorker: false,
    authorities: '/etc/ssl/certs/ca-certificates.crt',
    folder: '/usr/local/etc/haproxy',
  },
  debian: {
    user: 'haproxy',
    group: 'haproxy',
    log: '/dev/log local0 info',
    logKeeper: 'the system log, through the socket that Debian puts into the chroot as well',
    chroot: '/var/lib/haproxy',
    socket: '/run/haproxy/admin.sock',
    pidfile: '',
    masterWorker: false,
    authorities: '/etc/ssl/certs/ca-certificates.crt',
    folder: '/etc/haproxy',
  },
  rhel: {
    user: 'haproxy',
    group: 'haproxy',
    log: STDOUT,
    logKeeper: 'standard output, which systemd keeps (journalctl -u haproxy)',
    chroot: '/var/lib/haproxy',
    socket: '/var/lib/haproxy/stats',
    pidfile: '',
    masterWorker: false,
    authorities: '/etc/pki/tls/certs/ca-bundle.crt',
    folder: '/etc/haproxy',
  },
  source: {
    user: 'haproxy',
    group: 'haproxy',
    log: STDOUT,
    logKeeper: 'standard output of whoever starts it',
    chroot: '',
    socket: '/var/run/haproxy.sock',
    pidfile: '/var/run/haproxy.pid',
    masterWorker: true,
    authorities: '/etc/ssl/certs/ca-certificates.crt',
    folder: '/etc/haproxy',
  },
}
