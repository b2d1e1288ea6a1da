/*
 * Durations and limits of HAProxy, one row each: how they are written, where, and what holds without them. Sources are the configuration
 * manuals of the branches (https://docs.haproxy.org/2.4/configuration.html to 3.2) unless a row says otherwise.
 */

/** `ms`, `s`: unit of a bare number. `bytes`, `count`: whole numbers without a unit (`bytes` takes k, m, g since 2.9 where a row says so). */
export type Unit = 'ms' | 's' | 'bytes' | 'count'

export interface DefaultRow {
  /** First words of the line, or the word within a line of `within`. */
  directive: string
  /** Lines that the word stands in: `server`, `stick-table`. Absent: a line of its own. */
  within?: readonly string[]
  /** Sections it may stand in. */
  contexts: readonly ('global' | 'defaults' | 'frontend' | 'listen' | 'backend' | 'resolvers' | 'cache' | 'mailers' | 'ring')[]
  unit: Unit
  /** What holds without it, in ms, bytes or as a count; `undefined`: nothing does, there is no limit. A name: the value of that row. */
  without: number | undefined | `= ${string}`
  /** As an operator would write the default. */
  text: string
  /** First release that has it; the first that has it no more. */
  since?: string
  until?: string
  source: string
}

const MANUAL = 'https://docs.haproxy.org/3.2/configuration.html'
const PROXY = ['defaults', 'frontend', 'listen', 'backend'] as const
const FRONT = ['defaults', 'frontend', 'listen'] as const
const BACK = ['defaults', 'listen', 'backend'] as const
const SERVER = ['server', 'default-server', 'server-template'] as const

function timeout(name: string, contexts: DefaultRow['contexts'], without: DefaultRow['without'], since?: string): DefaultRow {
  return {
    directive: `timeout ${name}`,
    contexts,
    unit: 'ms',
    without,
    text: `no timeout ${name}`,
    ...(since === undefined ? {} : {since}),
    source: `${MANUAL}#timeout%20${name}`,
  }
}

function ofServer(word: string, without: DefaultRow['without'], text: string): DefaultRow {
  return {directive: word, within: SERVER, contexts: BACK, unit: 'ms', without, text, source: `${MANUAL}#5.2-${word}`}
}

/** Every duration first, limits behind. */
export const DEFAULTS: readonly DefaultRow[] = [
  timeout('client', FRONT, undefined),
  timeout('server', BACK, undefined),
  timeout('connect', BACK, undefined),
  timeout('queue', BACK, '= timeout connect'),
  // no such line: a WebSocket ends at the shorter of client and server (measured on 2.6.12)
  timeout('tunnel', BACK, undefined),
  timeout('http-request', PROXY, undefined),
  timeout('http-keep-alive', PROXY, '= timeout http-request'),
  timeout('tarpit', PROXY, '= timeout connect'),
  timeout('client-fin', FRONT, '= timeout client'),
  timeout('server-fin', BACK, '= timeout server'),
  timeout('client-hs', FRONT, '= timeout client', '2.9.0'),
  timeout('check', BACK, undefined),
  {
    directive: 'tcp-request inspect-delay',
    contexts: PROXY,
    unit: 'ms',
    without: undefined,
    text: 'no tcp-request inspect-delay',
    source: `${MANUAL}#tcp-request%20inspect-delay`,
  },
  {
    directive: 'tcp-response inspect-delay',
    contexts: BACK,
    unit: 'ms',
    without: undefined,
    text: 'no tcp-response inspect-delay',
    source: `${MANUAL}#tcp-response%20inspect-delay`,
  },
  {
    directive: 'set-timeout',
    within: ['http-request'],
    contexts: PROXY,
    unit: 'ms',
    without: undefined,
    text: 'no http-request set-timeout',
    source: `${MANUAL}#4.4-set-timeout`,
  },
  {
    directive: 'time',
    within: ['http-request wait-for-body', 'http-response wait-for-body'],
    contexts: PROXY,
    unit: 'ms',
    without: undefined,
    text: 'no http-request wait-for-body',
    source: `${MANUAL}#4.4-wait-for-body`,
  },
  {
    directive: 'hard-stop-after',
    contexts: ['global'],
    unit: 'ms',
    without: undefined,
    text: 'no hard-stop-after',
    source: `${MANUAL}#hard-stop-after`,
  },
  {directive: 'grace', contexts: ['global'], unit: 'ms', without: 0, text: 'grace 0', since: '2.4.0', source: `${MANUAL}#grace`},
  {
    directive: 'close-spread-time',
    contexts: ['global'],
    unit: 'ms',
    without: undefined,
    text: 'no close-spread-time',
    since: '2.5.0',
    source: `${MANUAL}#close-spread-time`,
  },
  {
    directive: 'stats timeout',
    contexts: ['global'],
    unit: 'ms',
    without: 10_000,
    text: 'stats timeout 10s',
    source: `${MANUAL}#stats%20timeout`,
  },
  {
    directive: 'max-spread-checks',
    contexts: ['global'],
    unit: 'ms',
    without: undefined,
    text: 'no max-spread-checks',
    source: `${MANUAL}#max-spread-checks`,
  },
  {
    directive: 'tune.idletimer',
    contexts: ['global'],
    unit: 'ms',
    without: 1000,
    text: 'tune.idletimer 1s',
    source: `${MANUAL}#tune.idletimer`,
  },
  {
    directive: 'tune.ssl.lifetime',
    contexts: ['global'],
    unit: 's',
    without: 300_000,
    text: 'tune.ssl.lifetime 300',
    source: `${MANUAL}#tune.ssl.lifetime`,
  },
  ofServer('inter', 2000, 'inter 2s'),
  ofServer('fastinter', '= inter', 'fastinter as inter'),
  ofServer('downinter', '= inter', 'downinter as inter'),
  ofServer('agent-inter', 2000, 'agent-inter 2s'),
  ofServer('slowstart', 0, 'slowstart 0'),
  ofServer('pool-purge-delay', 5000, 'pool-purge-delay 5s'),
  ofServer('tcp-ut', undefined, 'no tcp-ut'),
  {
    directive: 'tcp-ut',
    within: ['bind'],
    contexts: FRONT,
    unit: 'ms',
    without: undefined,
    text: 'no tcp-ut',
    source: `${MANUAL}#5.1-tcp-ut`,
  },
  {
    directive: 'expire',
    within: ['stick-table'],
    contexts: PROXY,
    unit: 'ms',
    without: undefined,
    text: 'no expire',
    source: `${MANUAL}#stick-table`,
  },
  {
    directive: 'maxidle',
    within: ['cookie'],
    contexts: BACK,
    unit: 's',
    without: undefined,
    text: 'no maxidle',
    source: `${MANUAL}#4.2-cookie`,
  },
  {
    directive: 'maxlife',
    within: ['cookie'],
    contexts: BACK,
    unit: 's',
    without: undefined,
    text: 'no maxlife',
    source: `${MANUAL}#4.2-cookie`,
  },
  {
    directive: 'stats refresh',
    contexts: PROXY,
    unit: 's',
    without: undefined,
    text: 'no stats refresh',
    source: `${MANUAL}#stats%20refresh`,
  },
  {
    directive: 'timeout resolve',
    contexts: ['resolvers'],
    unit: 'ms',
    without: 1000,
    text: 'timeout resolve 1s',
    source: `${MANUAL}#5.3.2-timeout`,
  },
  {
    directive: 'timeout retry',
    contexts: ['resolvers'],
    unit: 'ms',
    without: 1000,
    text: 'timeout retry 1s',
    source: `${MANUAL}#5.3.2-timeout`,
  },
  {directive: 'hold valid', contexts: ['resolvers'], unit: 'ms', without: 10_000, text: 'hold valid 10s', source: `${MANUAL}#5.3.2-hold`},
  {directive: 'hold obsolete', contexts: ['resolvers'], unit: 'ms', without: 0, text: 'hold obsolete 0', source: `${MANUAL}#5.3.2-hold`},
  ...['nx', 'other', 'refused', 'timeout'].map((what): DefaultRow => ({
    directive: `hold ${what}`,
    contexts: ['resolvers'],
    unit: 'ms',
    without: 30_000,
    text: `hold ${what} 30s`,
    source: `${MANUAL}#5.3.2-hold`,
  })),
  {directive: 'max-age', contexts: ['cache'], unit: 's', without: 60_000, text: 'max-age 60', source: `${MANUAL}#6.2.1-max-age`},
  {
    directive: 'timeout mail',
    contexts: ['mailers'],
    unit: 'ms',
    without: 10_000,
    text: 'timeout mail 10s',
    source: `${MANUAL}#3.6-timeout%20mail`,
  },
  {directive: 'timeout connect', contexts: ['ring'], unit: 'ms', without: undefined, text: 'no timeout connect', source: `${MANUAL}#3.8`},
  {directive: 'timeout server', contexts: ['ring'], unit: 'ms', without: undefined, text: 'no timeout server', source: `${MANUAL}#3.8`},

  {
    directive: 'maxconn',
    contexts: ['global'],
    unit: 'count',
    without: undefined,
    text: 'maxconn by the descriptors of the system',
    source: `${MANUAL}#3.2-maxconn`,
  },
  {directive: 'maxconn', contexts: FRONT, unit: 'count', without: undefined, text: 'maxconn as in global', source: `${MANUAL}#4.2-maxconn`},
  {
    directive: 'maxconn',
    within: SERVER,
    contexts: BACK,
    unit: 'count',
    without: undefined,
    text: 'no maxconn',
    source: `${MANUAL}#5.2-maxconn`,
  },
  {directive: 'rise', within: SERVER, contexts: BACK, unit: 'count', without: 2, text: 'rise 2', source: `${MANUAL}#5.2-rise`},
  {directive: 'fall', within: SERVER, contexts: BACK, unit: 'count', without: 3, text: 'fall 3', source: `${MANUAL}#5.2-fall`},
  {
    directive: 'error-limit',
    within: SERVER,
    contexts: BACK,
    unit: 'count',
    without: 10,
    text: 'error-limit 10',
    source: `${MANUAL}#5.2-error-limit`,
  },
  {directive: 'retries', contexts: BACK, unit: 'count', without: 3, text: 'retries 3', source: `${MANUAL}#4.2-retries`},
  {
    directive: 'tune.bufsize',
    contexts: ['global'],
    unit: 'bytes',
    without: 16_384,
    text: 'tune.bufsize 16384',
    source: `${MANUAL}#tune.bufsize`,
  },
  {
    directive: 'tune.maxrewrite',
    contexts: ['global'],
    unit: 'bytes',
    without: 1024,
    text: 'tune.maxrewrite 1024',
    source: `${MANUAL}#tune.maxrewrite`,
  },
  {
    directive: 'tune.http.maxhdr',
    contexts: ['global'],
    unit: 'count',
    without: 101,
    text: 'tune.http.maxhdr 101',
    source: `${MANUAL}#tune.http.maxhdr`,
  },
]

/** The row of a directive; `within` for a word of a line. */
export function defaultOf(directive: string, context?: DefaultRow['contexts'][number], within?: string): DefaultRow {
  const row = DEFAULTS.find(
    candidate =>
      candidate.directive === directive &&
      (context === undefined || candidate.contexts.includes(context)) &&
      (within === undefined ? true : (candidate.within?.includes(within) ?? false)),
  )
  if (!row) throw new Error(`no default of ${directive}`)
  return row
}

const FACTORS: Readonly<Record<string, number>> = {us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000}
/** 2^31 - 1 ms, the longest that HAProxy takes. */
const LONGEST = 2_147_483_647

/**
 * A duration as HAProxy reads it, in ms: whole numbers with `us`, `ms`, `s`, `m`, `h` or `d` (a bare number has the unit of its row; fractions of
 * a millisecond count as one). NaN when it is none.
 */
export function durationOf(text: string, unit: 'ms' | 's' = 'ms'): number {
  const [whole, digits = '', suffix = unit] = /^(\d+)(us|ms|s|m|h|d)?$/.exec(text) ?? []
  const value = whole === undefined ? Number.NaN : Math.ceil(Number(digits) * (FACTORS[suffix] ?? Number.NaN))
  return value > LONGEST ? Number.NaN : value
}

/** `16384`, `16k` (since 2.9), in bytes. NaN when it is none. */
export function sizeOf(text: string): number {
  const [whole, digits = '', suffix = ''] = /^(\d+)([kmg]?)$/i.exec(text) ?? []
  return whole === undefined
    ? Number.NaN
    : Number(digits) * ({'': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3}[suffix.toLowerCase()] ?? Number.NaN)
}
