import type {Live} from '../../src/model/live.ts'
import type {Cause, Finding, Fix, Outcome, Promises, Report, SubjectReport} from '../../src/model/report.ts'
import {verdictOf} from '../../src/model/report.ts'

/** Reports made by hand, for the renderers. */
const promises: Promises = {
  chats: 200,
  maxFileSize: 10_485_760,
  nodes: 2,
  holdMs: 30_000,
  upgradeIdleMs: 3_600_000,
  paths: ['/genesys/cometd'],
  affinity: 'required',
  tls: false,
  upstreamTls: false,
  origins: [],
  source: {chats: 'default', nodes: 'haproxy.cfg'},
}

export const passed: Outcome = {
  id: 'listener-reaches-gms',
  concern: 'listener',
  title: 'Requests reach GMS',
  status: 'passed',
  severity: 'error',
  durationMs: 11,
  findings: [],
}
export const skipped: Outcome = {
  ...passed,
  id: 'upload-largest-file',
  concern: 'upload',
  title: 'The largest file arrives',
  status: 'skipped',
  durationMs: 0,
  because: 'a production system would notice it',
}
export const errored: Outcome = {
  ...passed,
  id: 'limits-hold-idle-chats',
  concern: 'limits',
  title: 'Chats are held',
  status: 'errored',
  because: 'not judged within 60 s',
}
export const failed: Outcome = {
  ...passed,
  id: 'polling-hold-survives',
  concern: 'polling',
  title: 'A held poll is answered by GMS',
  status: 'failed',
  durationMs: 25_000,
  findings: [
    {
      message: 'Expected a quiet poll to be answered by GMS',
      expected: '200 after 30 s',
      actual: '504 after 25.0 s',
      location: {file: 'haproxy.cfg', line: 31, column: 5},
      evidence: {
        client: ['POST /genesys/cometd/connect → 504'],
        upstream: ['gms1 was still holding it'],
        proxyLog: ['bk/s1 0/0/0/-1/25000 504 sH--'],
      },
      remediation: 'timeout server 45s',
    },
  ],
}

export function subject(outcomes: readonly Outcome[], more: Partial<SubjectReport> = {}): SubjectReport {
  return {
    name: './haproxy.cfg',
    proxy: 'haproxy',
    proxyVersion: '2.6.12',
    runtime: 'binary',
    runtimeReason: 'HAProxy 2.6.12 found on the PATH',
    source: './haproxy.cfg',
    upstream: 'simulator',
    timing: 'real',
    sandboxDiff: '--- a\n+++ b\n@@ -1 +1 @@\n-bind :80\n+bind 127.0.0.1:20801\n',
    promises,
    verdict: verdictOf(outcomes),
    longestWaitMs: 30_000,
    outcomes,
    causes: [],
    ...more,
  }
}

export function reportOf(...subjects: readonly SubjectReport[]): Report {
  return {
    schema: 'gms-proxy/report/v1',
    tool: {name: 'gms-proxy', version: '0.1.0'},
    command: 'verify',
    reproduce: 'gms-proxy verify ./haproxy.cfg',
    verdict: verdictOf(subjects),
    durationMs: 38_200,
    subjects,
  }
}

/** A rule that found something, with everything that a finding of a file can have. */
export const read: Outcome = {
  id: 'upload-body-limit-too-small',
  concern: 'upload',
  title: 'Files that GMS accepts are refused by the proxy',
  status: 'failed',
  severity: 'error',
  durationMs: 1,
  findings: [
    {
      message: 'Expected room for the largest file',
      expected: '11m',
      actual: 'client_max_body_size 1m',
      location: {
        file: 'conf/my nginx.conf',
        line: 14,
        column: 5,
        endLine: 14,
        endColumn: 28,
        text: 'client_max_body_size 1m;',
      },
      evidence: {client: [], upstream: []},
      remediation: 'client_max_body_size 11m;',
      excerpt: {
        line: 13,
        lines: ['  server {', '    client_max_body_size 1m;', '    listen 80;'],
        mark: {line: 14, column: 5, endColumn: 28},
      },
      patch:
        '--- a/conf/my nginx.conf\n+++ b/conf/my nginx.conf\n@@ -13,3 +13,3 @@\n   server {\n-    client_max_body_size 1m;\n+    client_max_body_size 11m;\n     listen 80;',
      replacements: [{file: 'conf/my nginx.conf', line: 14, column: 26, endLine: 14, endColumn: 28, text: '11m', why: 'room for a file'}],
      fingerprint: '0123456789abcdef0123456789abcdef',
    },
  ],
}

const [found] = read.findings as [Finding]

/** `lint` of one file: an error, a warning that does not count, and a note, some rules that no file can show. */
export const lintReport: Report = {
  ...reportOf(
    subject(
      [
        read,
        {
          ...read,
          id: 'upload-timeout-too-short',
          severity: 'warning',
          status: 'passed',
          findings: [],
          suppressed: [
            {...found, suppression: {by: 'comment', reason: 'uploads go another way'}},
            {...found, suppression: {by: 'baseline'}},
          ],
        },
        {...passed, id: 'upstream-name-unresolved', concern: 'upstream', status: 'skipped', notInFile: true, because: 'no file shows it'},
      ],
      {
        name: 'conf',
        source: 'conf',
        proxy: 'nginx',
        proxyVersion: '1.22.1',
        runtime: 'none',
        runtimeReason: 'read as nginx 1.22.1 found on the PATH',
        upstream: 'none',
        sandboxDiff: '',
        reading: {
          unknown: [{location: {file: 'conf/my nginx.conf', line: 3, column: 1}, because: 'a variable of Lua'}],
          unusedSuppressions: [{location: {file: 'conf/my nginx.conf', line: 9, column: 3}, ids: ['tls-obsolete']}],
          vanished: [{rule: 'tls-obsolete', file: 'conf/my nginx.conf', text: 'ssl_protocols TLSv1;'}],
        },
      },
    ),
  ),
  command: 'lint',
  reproduce: 'gms-proxy lint conf',
}

/** What `read` is a cause of, together with a second one that no check felt. */
export const causes: readonly Cause[] = [
  {
    id: 'polling-timeout-below-hold',
    confidence: 'certain',
    severity: 'error',
    title: 'A timeout is shorter than the hold of GMS',
    because: ['the file: timeout server 25s', 'traffic: polling-hold-survives failed, as it does with this defect'],
    location: {file: 'haproxy.cfg', line: 31, column: 5, endLine: 31, endColumn: 23, text: 'timeout server 25s'},
    excerpt: {
      line: 30,
      lines: ['    timeout connect 5s', '    timeout server 25s', '    timeout client 60s'],
      mark: {line: 31, column: 5, endColumn: 23},
    },
    also: [{file: 'haproxy.cfg', line: 44, column: 5}],
    explains: ['polling-hold-survives'],
    remediation: 'timeout server 45s',
    patch: '--- a/haproxy.cfg\n+++ b/haproxy.cfg\n@@ -31,1 +31,1 @@\n-    timeout server 25s\n+    timeout server 45s',
    replacements: [{file: 'haproxy.cfg', line: 31, column: 1, endLine: 32, endColumn: 1, text: '    timeout server 45s\n', why: '45 s'}],
  },
  {
    id: 'logging-bare',
    confidence: 'possible',
    severity: 'warning',
    title: 'The log does not tell nodes apart',
    because: ['the file: option tcplog', 'traffic: no check that was run felt it'],
    location: {file: 'haproxy.cfg', line: 7, column: 5},
    explains: [],
    remediation: 'option httplog',
  },
]

/** `diagnose` of one file: a failure with its cause, one without. */
export const diagnosed: Report = {
  ...reportOf(
    subject([passed, failed, {...failed, id: 'polling-chat', title: 'A chat runs over long-polling'}], {
      causes,
      unexplained: ['polling-chat'],
    }),
  ),
  command: 'diagnose',
  reproduce: 'gms-proxy diagnose ./haproxy.cfg',
}

const fix: Fix = {
  patch: causes[0]?.patch ?? '',
  hunks: [
    {
      file: 'haproxy.cfg',
      line: 31,
      patch: causes[0]?.patch ?? '',
      replacements: causes[0]?.replacements ?? [],
      rules: ['polling-timeout-below-hold'],
      why: ['a poll is held 30 s'],
      mends: ['polling-hold-survives'],
    },
  ],
  mended: ['polling-hold-survives'],
  left: [{id: 'polling-chat', remediation: 'open the port of gms2'}],
  unfelt: [{rule: 'logging-bare', location: {file: 'haproxy.cfg', line: 7, column: 5}, message: 'option tcplog'}],
  runs: 9,
}

/** `fix` of the same file: one thing mended, one left. */
export const fixed: Report = {
  ...reportOf(
    subject([passed, {...failed, status: 'passed', findings: []}, {...failed, id: 'polling-chat'}], {causes: causes.slice(0, 1), fix}),
  ),
  command: 'fix',
  reproduce: 'gms-proxy fix ./haproxy.cfg',
}

const live: Live = {
  seen: {
    url: 'https://chat.example.com/',
    resolved: {addresses: ['192.0.2.7'], tookMs: 3},
    connected: {address: '192.0.2.7', tookMs: 12},
    greeted: {
      greeting: {version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', names: 'DNS:chat.example.com', tookMs: 31},
      chain: [{subject: 'chat.example.com', issuer: 'An Authority', validTo: '2199-01-01T00:00:00.000Z'}],
    },
    asks: {
      handshake: {
        what: 'POST /genesys/cometd/handshake',
        tookMs: 18,
        statusLine: 'HTTP/1.1 200 OK',
        status: 200,
        headers: {'content-type': ['application/json']},
        body: '[{"channel":"/meta/handshake"}]',
        by: {who: 'gms', confidence: 'certain', because: ['the body is a Bayeux answer']},
      },
      upgrade: {
        what: 'upgrade /genesys/cometd',
        tookMs: 9,
        statusLine: 'HTTP/1.1 400 Bad Request',
        status: 400,
        headers: {server: ['nginx/1.22.1']},
        body: '<html><center>nginx/1.22.1</center></html>',
        by: {who: 'nginx', confidence: 'certain', version: '1.22.1', because: ['the page is that of nginx']},
      },
    },
    transports: {
      'long-polling': {works: true, tookMs: 140},
      websocket: {works: false, tookMs: 20, stoppedAt: 'upgrade: HTTP 400'},
    },
    affinity: {users: 6, strangers: 0},
    hold: {heldMs: 30_012, successful: true},
    proxy: {proxy: 'nginx', version: '1.22.1', confidence: 'certain', because: ['Server: nginx/1.22.1']},
  },
  idle: {triedMs: 65_000, survivedMs: 59_000, cutMs: 60_060, code: 1006},
}

/** `diagnose` of a URL: what was seen, one failure, its cause. */
export const seenLive: Report = {
  ...reportOf(
    subject(
      [
        passed,
        {
          ...failed,
          id: 'upgrade-handshake',
          concern: 'upgrade',
          title: 'A WebSocket handshake reaches GMS',
          durationMs: 9,
          findings: [
            {
              message: 'Expected 101',
              expected: '101',
              actual: '400 by nginx 1.22.1',
              evidence: {client: ['upgrade /genesys/cometd → 400 by nginx 1.22.1 after 9 ms'], upstream: []},
              remediation: 'proxy_set_header Upgrade $http_upgrade;',
            },
          ],
        },
      ],
      {
        name: 'https://chat.example.com',
        source: 'https://chat.example.com',
        proxy: 'nginx',
        proxyVersion: '1.22.1',
        runtime: 'remote',
        upstream: 'remote',
        sandboxDiff: '',
        causes: [
          {
            id: 'upgrade-headers-missing',
            confidence: 'likely',
            severity: 'error',
            title: 'Upgrade and Connection do not reach GMS',
            because: ['GMS took it for a plain GET'],
            explains: ['upgrade-handshake'],
            remediation: 'proxy_set_header Upgrade $http_upgrade;',
          },
        ],
        unexplained: [],
        live,
      },
    ),
  ),
  command: 'diagnose',
  reproduce: 'gms-proxy diagnose https://chat.example.com',
}
