import type {Edit} from '../model/bundle.ts'
import type {Site} from '../proxies/site.ts'
import type {WayToGms} from './settings.ts'
import {carries} from './upgrades.ts'

/** What passes upgrades to WebSocket on, and no others: variables of nginx, `upgrade=` of Apache; HAProxy does it when nothing is deleted. */
const ARGUMENTS = {nginx: {upgrade: '$gms_upgrade', connection: '$gms_connection'}, haproxy: {upgrade: '', connection: ''}} as const

/** The whole mend: both headers, and the HTTP version that they need. */
export function upgradeEdits({proxy}: Site, way: WayToGms): readonly Edit[] {
  if (proxy === 'apache') return way.tunnels.put('websocket')
  const {upgrade, connection} = ARGUMENTS[proxy]
  return [
    ...(carries(way.sent('upgrade'), 'websocket') === true ? [] : way.sent('upgrade').put(upgrade)),
    ...(carries(way.sent('connection'), 'upgrade') === true ? [] : way.sent('connection').put(connection)),
    ...(way.httpVersion.value === '1.0' ? way.httpVersion.put('1.1') : []),
  ]
}
