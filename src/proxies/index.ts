import type {ProxyName} from '../model/catalogue.ts'
import {apache} from './apache/index.ts'
import {haproxy} from './haproxy/index.ts'
import {nginx} from './nginx/index.ts'
import type {Proxy} from './proxy.ts'

/** REGISTRY of the columns. */
export const PROXIES = {nginx, apache, haproxy} satisfies Record<ProxyName, Proxy>
