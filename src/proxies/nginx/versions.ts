import type {Branch} from '../proxy.ts'
import {atLeast} from '../version.ts'

/**
 * Release lines of nginx, newest first: the even ones are stable. A line ends when its successor is released
 * (https://nginx.org/en/download.html; the days are those of https://endoflife.date/api/nginx.json).
 */
export const BRANCHES: readonly Branch[] = [
  {branch: '1.31'},
  {branch: '1.30'},
  {branch: '1.29', endOfLife: '2026-05-13'},
  {branch: '1.28', endOfLife: '2026-04-14'},
  {branch: '1.27', endOfLife: '2025-06-24'},
  {branch: '1.26', endOfLife: '2025-04-23'},
  {branch: '1.25', endOfLife: '2024-05-29'},
  {branch: '1.24', endOfLife: '2024-04-23'},
  {branch: '1.23', endOfLife: '2023-05-23'},
  {branch: '1.22', endOfLife: '2023-04-11'},
  {branch: '1.21', endOfLife: '2022-06-21'},
  {branch: '1.20', endOfLife: '2022-05-24'},
  {branch: '1.19', endOfLife: '2021-05-25'},
  {branch: '1.18', endOfLife: '2021-04-20'},
]

/** What came when, where a rendered configuration depends on it (https://nginx.org/en/CHANGES). Nothing else tests a version. */
export const SINCE = {
  rotatedTickets: {since: '1.23.2', what: 'keys of session tickets are shared by all workers and rotated'},
  http2Directive: {since: '1.25.1', what: 'the http2 directive, in place of a parameter of listen'},
  resolve: {since: '1.27.3', what: 'the parameter resolve of a server in an upstream'},
  sticky: {since: '1.29.6', what: 'the directive sticky, and the parameters route and drain of a server'},
  keepaliveByDefault: {since: '1.29.7', what: 'HTTP/1.1 and kept-alive connections to the nodes by default'},
} as const satisfies Record<string, {since: string; what: string}>

export type Feature = keyof typeof SINCE

export function has(version: string, feature: Feature): boolean {
  return atLeast(version, SINCE[feature].since)
}
