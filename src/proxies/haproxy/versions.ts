import type {Branch} from '../proxy.ts'
import {atLeast} from '../version.ts'

/**
 * Branches, newest first. Even ones are maintained for five years: https://www.haproxy.org/ (table "Latest versions"), days as in
 * https://endoflife.date/haproxy (the authors name a quarter: its first day).
 */
export const BRANCHES: readonly Branch[] = [
  {branch: '3.4', endOfLife: '2031-04-01'},
  {branch: '3.3', endOfLife: '2027-01-01'},
  {branch: '3.2', endOfLife: '2030-04-01'},
  {branch: '3.1', endOfLife: '2026-01-01'},
  {branch: '3.0', endOfLife: '2029-04-01'},
  {branch: '2.9', endOfLife: '2025-01-01'},
  {branch: '2.8', endOfLife: '2028-04-01'},
  {branch: '2.7', endOfLife: '2024-01-01'},
  {branch: '2.6', endOfLife: '2027-04-01'},
  {branch: '2.5', endOfLife: '2023-01-01'},
  {branch: '2.4', endOfLife: '2026-04-01'},
]

/** What some supported version lacks, with the first release that has it (configuration manuals of the branches). Nothing else tests a version. */
export const SINCE = {
  errorLogFormat: {since: '2.5.0', what: 'a format for the log lines of connections that fail before a request'},
  systemAuthorities: {since: '2.6.0', what: 'ca-file @system-ca'},
  idleCloseOnResponse: {since: '2.6.0', what: 'a reload that waits for the next answer before it closes an idle connection'},
  certificateStore: {since: '3.0.0', what: 'crt-store, a private key in a file of any name'},
  ocspUpdate: {since: '3.0.0', what: 'ocsp-update.mode, OCSP answers fetched and stapled by HAProxy itself'},
} as const satisfies Record<string, {since: string; what: string}>

export type Feature = keyof typeof SINCE

/** True when `version` (`X.Y.Z`) has `feature`. */
export function has(version: string, feature: Feature): boolean {
  return atLeast(version, SINCE[feature].since)
}
