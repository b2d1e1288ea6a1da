import type {Edit} from '../../model/bundle.ts'
import type {Scope} from './site-scope.ts'
import {insertedAbove} from './site-setting.ts'

/** Tables that a mend may name: they are put above the server when the configuration has none of this name. */
const TABLES: Readonly<Record<string, readonly string[]>> = {
  gms_upgrade: ['map $http_upgrade $gms_upgrade {', '    "~*(^|,)\\s*websocket\\s*(,|$)"  websocket;', '    default  "";', '}'],
  // By this name most guides know it.
  connection_upgrade: ['map $http_upgrade $connection_upgrade {', '    "~*(^|,)\\s*websocket\\s*(,|$)"  upgrade;', '    default  "";', '}'],
  gms_connection: ['map $gms_upgrade $gms_connection {', '    websocket  upgrade;', '    default  "";', '}'],
  gms_affinity_key: [
    'map $http_cookie $gms_affinity_key {',
    '    "~(^|;)\\s*GMS_NODE=(?<gms_key>[0-9a-f]{32})\\s*(;|$)"  $gms_key;',
    '    default  $request_id;',
    '}',
  ],
  gms_affinity_cookie: [
    'map $http_cookie $gms_affinity_cookie {',
    '    "~(^|;)\\s*GMS_NODE=[0-9a-f]{32}\\s*(;|$)"  "";',
    '    default  "GMS_NODE=$request_id; Path=/; HttpOnly";',
    '}',
  ],
}
const NEEDS: Readonly<Record<string, readonly string[]>> = {gms_connection: ['gms_upgrade']}

/** Edits that make the variables of `argument` which nothing in the configuration makes yet. */
export function neededTables(block: Scope, argument: string): readonly Edit[] {
  const http = block.up('http')
  const server = block.up('server')?.block ?? block.up('upstream')?.block
  const wanted = new Set<string>()
  const want = (name: string): void => {
    if (wanted.has(name) || !TABLES[name]) return
    for (const other of NEEDS[name] ?? []) want(other)
    if (!http?.all('map').some(({args}) => args.at(-1)?.value === `$${name}`)) wanted.add(name)
  }
  for (const [, name = ''] of argument.matchAll(/\$(\w+)/g)) want(name)
  const first = http?.lines.find(line => line.block !== undefined && (line.name === 'upstream' || line.name === 'server')) ?? server
  if (wanted.size === 0 || !http || !first) return []
  return [...wanted].flatMap(name => insertedAbove(http, first, ...(TABLES[name] ?? [])))
}
