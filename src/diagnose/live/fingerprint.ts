import type {ProxyName} from '../../model/catalogue.ts'
import type {AnsweredBy, Speaker} from '../../model/live.ts'
import type {Confidence} from '../../model/report.ts'

/** An answer as far as it tells who wrote it. Header names in lower case. */
export interface AnswerToJudge {
  status?: number
  headers: Readonly<Record<string, readonly string[]>>
  /** Header names spelt as they came. */
  headerNames?: readonly string[]
  body: string
}

interface Mark {
  who: Exclude<Speaker, 'unknown'>
  confidence: Confidence
  /** What the body has to hold; white space counts as one blank. */
  body: RegExp
  /** Group 1 of it is the version. */
  version?: RegExp
  because: string
}

/**
 * Bodies that each of them writes and, word for word, nobody else; first match wins. nginx: ngx_http_special_response.c (1.22.1, 1.26.3);
 * Apache: ap_send_error_response and mod_proxy (2.4.68, 2.4.71); HAProxy: http_err_msgs and hard-coded messages of http.c (2.6.12, 3.0.11);
 * Jetty: ErrorHandler (9.4.57, 12.0.25); CometD 5 and 8. All seen on those versions.
 */
const MARKS: readonly Mark[] = [
  {
    who: 'gms',
    confidence: 'certain',
    body: /^(?:\/\*\*\/)?\s*(?:[\w.$]+\()?\s*\[\s*\{.*"channel"\s*:\s*"\/(?:meta|service)\//s,
    because: 'the body is a Bayeux answer',
  },
  {
    who: 'gms',
    confidence: 'certain',
    body: /<title>Error \d{3} .*<h2>HTTP ERROR \d{3}.*(?:Powered by Jetty|<th>URI:)/s,
    version: /Powered by Jetty:\/\/ ([\w.]+)/,
    because: 'the body is the error page of Jetty, in which GMS runs',
  },
  {
    who: 'gms',
    confidence: 'likely',
    body: /^<h1>Bad Message \d{3}<\/h1><pre>reason: /,
    because: 'the body is the short error page of Jetty',
  },
  {
    who: 'gms',
    confidence: 'likely',
    body: /^\s*\{.*"(?:statusCode|chatEnded|userData)"\s*:/s,
    because: 'the body is an answer of the chat API of GMS',
  },
  {
    who: 'nginx',
    confidence: 'certain',
    body: /<center><h1>\d{3} .*<\/h1><\/center>.*<hr><center>nginx(?:\/[\d.]+)?(?: \([^)]*\))?<\/center>/s,
    version: /<center>nginx\/([\d.]+)/,
    because: 'the body is the error page of nginx',
  },
  {
    who: 'apache',
    confidence: 'certain',
    body: /<address>Apache(?:\/[\d.]+)?[^<]* (?:Server )?at .* Port \d+<\/address>/s,
    version: /<address>Apache\/([\d.]+)/,
    because: 'the body is the error page of Apache, with its signature',
  },
  {
    who: 'apache',
    confidence: 'likely',
    body: /^<!DOCTYPE HTML PUBLIC "-\/\/(?:IETF\/\/DTD HTML 2\.0|W3C\/\/DTD HTML 4\.01)\/\/EN"[^>]*> ?<html><head> ?<title>\d{3} /,
    because: 'the body is shaped as the error page of Apache',
  },
  {
    who: 'haproxy',
    confidence: 'certain',
    body: /^<html><body><h1>\d{3} [^<]*<\/h1> ?(?:No server is available to handle this request|The server didn't respond in time|The server returned an invalid or incomplete response|Your browser sent an invalid request|Your browser didn't send a complete request in time|Request forbidden by administrative rules|You need a valid user and password to access this content|An internal server error occurred|Resource was not found|You have sent too many requests|This website is under heavy load|The request entity exceeds the maximum allowed)\.?/,
    because: 'the body is one of the built-in answers of HAProxy',
  },
  {
    who: 'haproxy',
    confidence: 'likely',
    body: /^<html><body><h1>\d{3} [^<]*<\/h1> ?[^<]+<\/body><\/html>/,
    because: 'the body is shaped as the built-in answers of HAProxy',
  },
]

const SERVERS: Readonly<Partial<Record<Speaker, RegExp>>> = {nginx: /^nginx\b/, apache: /^Apache\b/, gms: /^Jetty\(/}

/** Who wrote this answer: by its body, which a proxy does not change, then by headers, which it may. Never more sure than the mark is. */
export function answeredBy({status, headers, headerNames = [], body}: AnswerToJudge): AnsweredBy {
  const text = body.replace(/\s+/g, ' ').trim()
  const server = headers['server']?.join(', ') ?? ''
  for (const {who, confidence, body: pattern, version, because} of MARKS) {
    if (!pattern.test(text)) continue
    const told = version?.exec(text)?.[1] ?? versionIn(server, who)
    // Two things that agree: the shape of the page, and the name.
    const signed = confidence === 'likely' && SERVERS[who]?.test(server) === true
    return {
      who,
      confidence: signed ? 'certain' : confidence,
      ...(told === undefined ? {} : {version: told}),
      because: signed ? [because, `Server: ${server}`] : [because],
    }
  }
  if (status === 101 && headers['sec-websocket-accept'] !== undefined) {
    // Proxies pass a 101 on: none of the three makes one.
    return {who: 'gms', confidence: 'likely', because: ['101 with Sec-WebSocket-Accept: proxies pass that on, they do not make it']}
  }
  if (headers['set-cookie']?.some(value => value.startsWith('BAYEUX_BROWSER=')) === true)
    return {who: 'gms', confidence: 'likely', because: ['it sets the cookie BAYEUX_BROWSER']}
  if (/^Jetty\(/.test(server)) {
    const version = versionIn(server, 'gms')
    return {who: 'gms', confidence: 'likely', ...(version === undefined ? {} : {version}), because: [`Server: ${server}`]}
  }
  if (/^haproxy/i.test(server)) return {who: 'haproxy', confidence: 'possible', because: [`Server: ${server}`]}
  const named = /^(nginx|openresty|Apache)/.exec(server)?.[1]
  if (named !== undefined) {
    const who = named === 'Apache' ? 'apache' : 'nginx'
    const version = versionIn(server, who)
    const redirect = status !== undefined && status >= 300 && status < 400
    // nginx writes its name over that of GMS, so its name alone does not tell whether it has answered itself.
    return {
      who,
      confidence: redirect ? 'likely' : 'possible',
      ...(version === undefined ? {} : {version}),
      because: [`Server: ${server}, which it writes into answers of others too`],
    }
  }
  if (server !== '') return {who: 'another', confidence: 'possible', because: [`Server: ${server}`]}
  if (status !== undefined && headerNames.length > 0 && text === '' && headerNames.every(name => name === name.toLowerCase()))
    return {
      who: 'haproxy',
      confidence: 'possible',
      because: ['no Server, no body, and all names of headers in lower case, as HAProxy writes them'],
    }
  return {who: 'unknown', confidence: 'possible', because: []}
}

function versionIn(server: string, who: Speaker): string | undefined {
  const patterns: Readonly<Partial<Record<Speaker, RegExp>>> = {
    nginx: /^nginx\/([\d.]+)/,
    apache: /^Apache\/([\d.]+)/,
    gms: /^Jetty\(([\w.-]+)\)/,
  }
  return patterns[who]?.exec(server)?.[1]
}

/** Which proxy stands in front, and how sure that is. */
export interface Recognised {
  proxy: ProxyName
  version?: string
  confidence: Confidence
  because: readonly string[]
}

const RANK: readonly Confidence[] = ['certain', 'likely', 'possible']
const MINIMUM_NAMES = 3

/**
 * The proxy that clients talk to, by everything that came back. A page of its own is certain; its name in Server, or the spelling of headers
 * that only it changes, is likely.
 */
export function recognise(answers: readonly AnswerToJudge[]): Recognised | undefined {
  const seen: Recognised[] = answers.flatMap((answer): readonly Recognised[] => {
    const {who, confidence, version, because} = answeredBy(answer)
    const server = answer.headers['server']?.join(', ') ?? ''
    if ((who === 'nginx' || who === 'apache' || who === 'haproxy') && confidence !== 'possible')
      return [{proxy: who, confidence, because, ...(version === undefined ? {} : {version})}]
    const named = /^(nginx|Apache)\b/.exec(server)?.[1]
    if (named !== undefined) {
      const proxy = named === 'Apache' ? ('apache' as const) : ('nginx' as const)
      const told = versionIn(server, proxy)
      return [{proxy, confidence: 'likely', because: [`Server: ${server}`], ...(told === undefined ? {} : {version: told})}]
    }
    const names = answer.headerNames ?? []
    if (/^Jetty\(/.test(server) && names.length >= MINIMUM_NAMES && names.every(name => name === name.toLowerCase()))
      return [
        {
          proxy: 'haproxy',
          confidence: 'possible',
          because: ['the headers of Jetty arrive in lower case, as HAProxy writes them (other proxies do so too)'],
        },
      ]
    if (/^Jetty\(/.test(server) && answer.headers['via'] === undefined && names.includes('Server') && apacheOrder(names))
      return [{proxy: 'apache', confidence: 'possible', because: ['Server and Date stand first, as Apache orders the headers of others']}]
    return []
  })
  const best = [...seen].sort(
    (a, b) => RANK.indexOf(a.confidence) - RANK.indexOf(b.confidence) || Number(b.version !== undefined) - Number(a.version !== undefined),
  )[0]
  if (!best) return undefined
  // Two names at the same height: nobody is recognised for sure.
  const rival = seen.find(({proxy, confidence}) => proxy !== best.proxy && confidence === best.confidence)
  const version = best.version ?? seen.find(({proxy, version}) => proxy === best.proxy && version !== undefined)?.version
  return {
    ...best,
    ...(version === undefined ? {} : {version}),
    ...(rival ? {confidence: 'possible', because: [...best.because, `but also: ${rival.because.join(', ')}`]} : {}),
  }
}

/** Apache puts Date and Server before whatever the node sent (2.4.68, 2.4.71); Jetty 9.4 ends with Server. */
function apacheOrder(names: readonly string[]): boolean {
  return names[0] === 'Date' && names[1] === 'Server'
}
