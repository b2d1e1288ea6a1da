import type {Affinity, Health, Setting, Upstream} from '../site.ts'
import {affinityOf} from './site-affinity.ts'
import {defaultOf, durationOf} from './defaults.ts'
import type {Section, Sections} from './sections.ts'
import {all, inForce, linesOf} from './sections.ts'
import type {Settings} from './settings.ts'
import {flag, goesAnywhere, nodeLines, nodesOf, valued, valueSetting, wordsOfServer} from './site-nodes.ts'

/** What a `backend` or `listen` section is for the requests that reach it. `layer4`: it only passes bytes on. */
export function upstreamOf(
  section: Section,
  {layer4, behindBalancer, fronts}: {layer4: boolean; behindBalancer: boolean; fronts: readonly Section[]},
  sections: Sections,
  version: string,
  settings: Settings,
): Upstream {
  const nodes = nodesOf(section, version, settings)
  const affinity: Affinity = affinityOf(section, {layer4, behindBalancer, fronts}, settings)
  return {
    name: section.name,
    span: section.header,
    nodes,
    ...resolutionOf(section, sections, settings),
    affinity,
    health: healthOf(section, settings),
    ...keepAliveOf(section, layer4, settings),
    movesSessions: movesOf(section, settings),
  }
}

function resolutionOf(section: Section, sections: Sections, settings: Settings): Pick<Upstream, 'resolution' | 'hasNameServers'> {
  const lines = nodeLines(section)
  const wherever = lines.find(goesAnywhere)
  const resolvers = sections.all.filter(({kind}) => kind === 'resolvers')
  const serves = (name: string | undefined) =>
    resolvers.some(
      ({name: own, own: lines}) => own === name && lines.some(({words}) => words[0] === 'nameserver' || words[0] === 'parse-resolv-conf'),
    )
  const written = lines.flatMap(line => valued(wordsOfServer(line), 'resolvers') ?? [])
  const [first] = written
  if (wherever) {
    const asked = linesOf(section).find(({words}) => words[0] === 'http-request' && words[1]?.startsWith('do-resolve'))
    return {
      resolution: settings.fixed<'start' | 'followed' | 'request'>(
        'request',
        'server',
        settings.textOf(wherever),
        section.header,
        wherever.directive.span,
      ),
      hasNameServers: asked !== undefined && resolvers.length > 0,
    }
  }
  if (first && written.length === lines.length)
    return {
      resolution: valueSetting<'start' | 'followed' | 'request'>('followed', first, settings),
      hasNameServers: written.every(({values}) => serves(values[0])),
    }
  return {
    resolution: {
      ...settings.missing<'start' | 'followed' | 'request'>('start', 'resolvers', 'no resolvers', section),
      put: argument => settings.insert(section, `default-server resolvers ${argument}`, `resolvers ${argument}`, beforeServers(section)),
    },
    hasNameServers: false,
  }
}

/** `default-server` holds for the lines behind it: the last line before the first `server`. */
function beforeServers(section: Section) {
  const first = section.own.findIndex(({words}) => words[0] === 'server' || words[0] === 'server-template')
  return first > 0 ? section.own[first - 1] : undefined
}

function healthOf(section: Section, settings: Settings): Health {
  const lines = nodeLines(section)
  const checked = lines.flatMap(
    line => flag(wordsOfServer(line), 'check') ?? flag(wordsOfServer(line), 'track') ?? valued(wordsOfServer(line), 'track') ?? [],
  )
  const [first] = checked
  if (!first || checked.length < lines.length) {
    const missing = settings.missing('', 'default-server check', 'no check', section)
    const before = beforeServers(section)
    const server = lines[0]
    return {
      kind: 'none',
      setting: {
        ...missing,
        put: argument =>
          before || !server
            ? settings.insert(section, `default-server check ${argument}`.trimEnd(), 'nodes are checked', before)
            : lines.flatMap(line => [
                {
                  span: {
                    ...line.directive.span,
                    start: line.directive.span.end,
                    column: line.directive.span.column + line.directive.span.end - line.directive.span.start,
                  },
                  text: ` check ${argument}`.trimEnd(),
                  why: 'nodes are checked',
                },
              ]),
      },
    }
  }
  const http = inForce(section, 'option', 'httpchk')
  // the last `option …chk` wins
  const others = [
    'tcp-check',
    'ssl-hello-chk',
    'smtpchk',
    'mysql-check',
    'pgsql-check',
    'redis-check',
    'ldap-check',
    'external-check',
    'spop-check',
  ]
  const lastKind = all(section, 'option').findLast(
    ({words, negated, reset}) => !negated && !reset && (words[1] === 'httpchk' || others.includes(words[1] ?? '')),
  )
  if (!http || lastKind?.words[1] !== 'httpchk') return {kind: 'tcp', setting: valueSetting('check', first, settings)}
  // OPTIONS / HTTP/1.0 unless it is said (manual, "option httpchk"): [method] uri [version [host]]
  const given = http.words.slice(2)
  let method = given.length > 1 ? (given[0] ?? 'OPTIONS') : 'OPTIONS'
  let path = given.length > 1 ? (given[1] ?? '/') : (given[0] ?? '/')
  let at = http
  for (const line of all(section, 'http-check', 'send')) {
    const after = (word: string) => {
      const found = line.words.indexOf(word)
      return found === -1 ? undefined : line.words[found + 1]
    }
    method = after('meth') ?? method
    path = after('uri') ?? after('uri-lf') ?? path
    at = line
  }
  const expectation = inForce(section, 'http-check', 'expect')
  return {
    kind: 'http',
    setting: settings.written(
      path,
      at === http ? 'option httpchk' : 'http-check send',
      at,
      at.words.indexOf(path),
      section,
      at.words.indexOf(path),
    ),
    method,
    path,
    // without one any 2xx and 3xx will do
    ...(expectation ? {expect: expectation.words.slice(2).join(' ')} : {}),
    credentials:
      all(section, 'http-check', 'send').some(({words}) => words.some(word => word.toLowerCase() === 'authorization')) ||
      /authorization:/i.test(given.join(' ')),
  }
}

function keepAliveOf(section: Section, layer4: boolean, settings: Settings): Pick<Upstream, 'keepAlive' | 'keepAliveTimeout'> {
  const line = linesOf(section).findLast(
    ({words, negated, reset}) =>
      words[0] === 'option' && /^(?:httpclose|http-server-close|http-keep-alive|forceclose)$/.test(words[1] ?? '') && !negated && !reset,
  )
  const keeps = !layer4 && (line === undefined || line.words[1] === 'http-keep-alive')
  const [server] = nodeLines(section)
  const delay = server && valued(wordsOfServer(server), 'pool-purge-delay')
  const row = defaultOf('pool-purge-delay')
  const value = delay ? durationOf(delay.values[0] ?? '') : Number(row.without)
  return {
    keepAlive: line
      ? settings.written(keeps, `option ${line.words[1] ?? ''}`, line, 1, section, 1)
      : settings.missing(keeps, 'option', 'option http-keep-alive', section),
    keepAliveTimeout: delay
      ? valueSetting<number | undefined>(value, delay, settings)
      : {...settings.missing<number | undefined>(value, 'default-server pool-purge-delay', row.text, section)},
  }
}

/** A node that is down is left by itself when it is checked; one that only refuses, with `option redispatch` (not the default). */
function movesOf(section: Section, settings: Settings): Setting<boolean> {
  const lines = section.own.length > 0 ? linesOf(section) : []
  const line = lines.findLast(({words}) => words[0] === 'option' && words[1] === 'redispatch')
  if (line && !line.negated && !line.reset) return settings.written(true, 'option redispatch', line, 2, section)
  return line
    ? settings.fixed(false, 'option redispatch', settings.textOf(line), section.header, line.directive.span)
    : settings.missing(false, 'option redispatch', 'no option redispatch', section)
}
