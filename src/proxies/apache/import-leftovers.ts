import type {Span} from '../../model/bundle.ts'
import type {Draft} from '../import-draft.ts'
import type {Source} from './import-source.ts'
import type {Rendered} from './import-text.ts'
import type {Line} from './site-lines.ts'

const words = (...all: readonly string[]) => new Set(all.flatMap(line => line.toLowerCase().split(' ')))

/** Read by the rest of the import, which carries them over or says why not. */
const READ = words(
  'Listen VirtualHost ServerName ServerAlias SSLEngine SSLCertificateFile SSLCertificateKeyFile SSLProtocol SSLUseStapling SSLVerifyClient SSLCACertificateFile',
  'Protocols RemoteIPProxyProtocol RemoteIPProxyProtocolExceptions RemoteIPInternalProxy RemoteIPTrustedProxy Proxy BalancerMember ProxySet ProxyPass',
  'ProxyTimeout Timeout RequestReadTimeout Require CustomLog TransferLog LogFormat StartServers ThreadLimit ThreadsPerChild MaxRequestWorkers',
  'MaxClients ServerLimit MinSpareThreads MaxSpareThreads MaxSpareServers MinSpareServers ProxyHCExpr ProxyHCTemplate SSLProxyEngine SSLProxyVerify SSLProxyCACertificateFile',
  'SSLProxyMachineCertificateFile SSLProxyCheckPeerName SSLProxyCheckPeerCN GracefulShutdownTimeout Location LocationMatch',
)
/** The rendered file decides it itself, at least as well; or it says nothing about chat. */
const DECIDED = words(
  'ServerRoot PidFile User Group LoadModule LoadFile ServerTokens ServerSignature ServerAdmin ErrorLog LogLevel ErrorLogFormat ExtendedStatus TraceEnable ProxyRequests',
  'ProxyPreserveHost ProxyPassReverse ProxyPassReverseCookiePath ProxyPassReverseCookieDomain ProxyVia ProxyAddHeaders ProxyStatus ProxyBadHeader ProxyIOBufferSize',
  'ProxyReceiveBufferSize ProxyWebsocketFallbackToProxyHttp ProxyErrorOverride AllowEncodedSlashes RewriteEngine RewriteOptions RewriteMap LimitRequestLine LimitRequestBody',
  'LimitRequestFieldSize LimitRequestFields KeepAlive KeepAliveTimeout MaxKeepAliveRequests MaxConnectionsPerChild MaxRequestsPerChild ThreadStackSize ListenBacklog',
  'AsyncRequestWorkerFactor H2MinWorkers H2MaxWorkers SSLOpenSSLConfCmd SSLCipherSuite SSLHonorCipherOrder SSLSessionTickets SSLSessionCache SSLSessionCacheTimeout',
  'SSLStaplingReturnResponderErrors SSLStaplingCache SSLVerifyDepth SSLProxyProtocol SSLProxyCipherSuite SSLProxyVerifyDepth SSLProxyCheckPeerExpire SSLCompression',
  'SSLRandomSeed SSLPassPhraseDialog SSLCertificateChainFile SSLInsecureRenegotiation RemoteIPHeader DocumentRoot Directory DirectoryMatch Files FilesMatch AllowOverride Options Order',
  'DirectoryIndex TypesConfig AddType AddEncoding AddLanguage AddCharset AddDefaultCharset MimeMagicFile HostnameLookups UseCanonicalName Mutex Define UnDefine',
  'Include IncludeOptional NameVirtualHost EnableSendfile EnableMMAP FileETag AccessFileName IndexOptions BufferedLogs HttpProtocolOptions CoreDumpDirectory',
  'RequireAll RequireAny RequireNone AuthMerging SetOutputFilter AddOutputFilterByType DeflateCompressionLevel BrowserMatch CacheDisable ProxyMatch If Else ElseIf',
)
/** Request headers that a rendered file sets itself. */
const SENT = words(
  'Host X-Forwarded-For X-Real-IP X-Forwarded-Proto X-Forwarded-Host X-Forwarded-Port X-Forwarded-Server Forwarded X-Request-ID Upgrade Connection Cookie',
  'Sec-WebSocket-Key Sec-WebSocket-Version Sec-WebSocket-Extensions Accept-Encoding',
)
/** Response headers that the rest of the import reads. */
const ANSWERED = /^(?:set-cookie|strict-transport-security|access-control-.*|vary)$/i

/** Says of everything that has an effect on the chat, and was not read, that it was not carried over. */
export function foreignLeftovers({lines, servers, chat, others, serverOf, poll, webSocket, upload}: Source, draft: Draft): void {
  const ours = new Set(chat.map(serverOf))
  const read = servers.filter(server => ours.has(server) || server.section === undefined)
  for (const line of read.flatMap(server => server.lines)) {
    const because = reason(line)
    if (because !== undefined) draft.leave(headOf(line), because)
  }
  for (const [way, what] of [
    [webSocket, 'WebSocket'],
    [upload, 'uploads'],
  ] as const)
    if (poll.end.kind === 'upstream' && way.end.kind === 'upstream' && addressesOf(way.end.upstream) !== addressesOf(poll.end.upstream))
      draft.leave(way.end.span, `${what} went to nodes of their own: parameters have one set of nodes`)
  const told = new Set([...ours].flatMap(server => server?.section?.directive ?? []))
  for (const listener of others) {
    const section = serverOf(listener)?.section?.directive
    // the main server behind virtual hosts says nothing of its own
    if (!section || told.has(section)) continue
    told.add(section)
    draft.leave(listener.span, `another site: ${listener.serverNames.join(' ') || 'without a name'}`)
  }
  for (const {name, directive} of lines)
    if (name === 'macro' || name === 'use') draft.leave(directive.span, `${name}: macros are not followed`)
}

function addressesOf({nodes}: {nodes: readonly {host: string; port?: number}[]}): string {
  return [...new Set(nodes.map(({host, port}) => `${host}:${port ?? ''}`))].sort().join(' ')
}

function reason({name, values, within, directive}: Line): string | undefined {
  if (READ.has(name) || DECIDED.has(name) || within.some(own => /^(?:directory|files)/.test(own.name))) return undefined
  const [action = '', header = ''] =
    values[0]?.toLowerCase() === 'always' || values[0]?.toLowerCase() === 'onsuccess' ? values.slice(1) : values
  if (name === 'requestheader')
    return SENT.has(header.toLowerCase()) || action.toLowerCase() === 'unset'
      ? undefined
      : `the header ${header} that is sent to the nodes has no parameter: snippets.apache.virtualHost takes it`
  if (name === 'header')
    return ANSWERED.test(header) ? undefined : `the header ${header} of answers has no parameter: snippets.apache.virtualHost takes it`
  if (name === 'rewriterule' || name === 'rewritecond') return rewriting(values)
  if (name === 'allow' || name === 'deny')
    return values.at(-1)?.toLowerCase() === 'all' ? undefined : `${directive.name} ${values.join(' ')}: access.allow names who may connect`
  return `${directive.name} ${values.join(' ')}`.trim().replace(/\s+/g, ' ').replace(/\.$/, '') + ': no parameter says it'
}

/** The upgrade, redirects to https, refusals and conditions are said by others; the rest is not carried over. */
function rewriting([pattern = '', target = '', flags = '']: readonly string[]): string | undefined {
  if (pattern.startsWith('%{') || pattern === 'expr') return undefined
  if (target === '-' || /^(?:wss?|balancer|https?):\/\//i.test(target) || /[[,]P[\],]/.test(flags)) return undefined
  return `RewriteRule ${pattern} ${target}: parameters leave paths as they are`
}

function headOf({directive}: Line): Span {
  const {span, nameSpan, args, block} = directive
  return block ? {...span, end: (args.at(-1) ?? {span: nameSpan}).span.end} : span
}

/** Lines that somebody put into a rendered file, outside the places that have a name. */
const RENDERED = words('RewriteRule RewriteCond RequestHeader Header SetEnvIf SetEnvIfExpr SetEnvIfNoCase SetHandler')

/** Says of what was added to a rendered file that it was not carried over. */
export function importLeftovers({lines, hosts, config}: Rendered, draft: Draft): void {
  const snippets = ['main', 'virtualHost', 'balancer'].flatMap(place => {
    const text = draft.get(`snippets.apache.${place}`)
    return typeof text === 'string' ? text.split('\n').map(row => row.trim()) : []
  })
  for (const line of lines) {
    const {name, directive} = line
    if (READ.has(name) || DECIDED.has(name) || RENDERED.has(name)) continue
    const {span} = directive
    const text = config.bundle.files.find(({path}) => path === span.file)?.text.slice(span.start, span.end) ?? ''
    if (text.split('\n').some(row => snippets.includes(row.trim()))) continue
    const outer = line.within.find(section => section.name === 'virtualhost')
    if (outer && !hosts.includes(outer.directive) && line.within.length > 1) continue
    draft.leave(headOf(line), reason(line) ?? `${directive.name}: no parameter says it`)
  }
}
