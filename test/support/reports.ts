import type {Finding, Outcome, Promises, Report, SubjectReport} from '../../src/model/report.ts'
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
