import type {ProxyName} from '../model/catalogue.ts'
import {APACHE_LOG} from './log-apache.ts'
import {HAPROXY_LOG} from './log-haproxy.ts'
import type {LogMeaning} from './log-line.ts'
import {NGINX_LOG} from './log-nginx.ts'

/** What the lines of each proxy's log mean. */
export const LOG_MEANINGS: Readonly<Record<ProxyName, readonly LogMeaning[]>> = {nginx: NGINX_LOG, apache: APACHE_LOG, haproxy: HAPROXY_LOG}
