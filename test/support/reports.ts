import type {Outcome, Promises, Report, SubjectReport} from '../../src/model/report.ts'
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
