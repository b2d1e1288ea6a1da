import type {IncomingMessage} from 'node:http'

/**
 * What Jetty 9.4, the web server under GMS's CometD, says where no servlet of ours answers.
 * Measured: CometD 5.0.18 on Jetty 9.4.57, loopback.
 */
export const SERVER_HEADER = 'Jetty(9.4.57.v20241219)'
/** Jetty's default requestHeaderSize, bytes: above, a long request line is answered 414 and long headers 431. */
export const MAX_HEAD_BYTES = 8192
const COMETD_SERVLET = 'org.cometd.server.CometDServlet-2f943d71'

const ENTITIES: Readonly<Record<string, string>> = {'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;'}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, character => ENTITIES[character] ?? character)
}

/** Headers and page of Jetty's error handler. `uri` is shown in the page as it came. */
export function errorPage(status: number, message: string, uri: string, servlet: 'cometd' | 'none') {
  const what = escapeHtml(message)
  const rows = [
    ['URI:', escapeHtml(uri)],
    ['STATUS:', String(status)],
    ['MESSAGE:', what],
    ['SERVLET:', servlet === 'cometd' ? COMETD_SERVLET : '-'],
  ].map(([head, value]) => `<tr><th>${head}</th><td>${value}</td></tr>\n`)
  const body = `<html>
<head>
<meta http-equiv="Content-Type" content="text/html;charset=ISO-8859-1"/>
<title>Error ${status} ${what}</title>
</head>
<body><h2>HTTP ERROR ${status} ${what}</h2>
<table>
${rows.join('')}</table>
<hr/><a href="https://jetty.org/">Powered by Jetty:// 9.4.57.v20241219</a><hr/>

</body>
</html>
`
  return {headers: {'Cache-Control': 'must-revalidate,no-cache,no-store', 'Content-Type': 'text/html;charset=iso-8859-1'}, body}
}

/** What Jetty's parser says before any servlet is asked; it always closes the connection. */
export function badMessage(status: number, reason: string) {
  return {
    headers: {'Content-Type': 'text/html;charset=iso-8859-1', Connection: 'close'},
    body: `<h1>Bad Message ${status}</h1><pre>reason: ${reason}</pre>`,
  }
}

/** Path and query of a request target, origin or absolute form; path parameters (`;jsessionid=…`) are not part of the path (servlet spec). */
export function splitTarget(target: string): {path: string; query: URLSearchParams} {
  const originForm = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
  const mark = originForm.indexOf('?')
  const raw = mark < 0 ? originForm : originForm.slice(0, mark)
  const query = new URLSearchParams(mark < 0 ? '' : originForm.slice(mark + 1))
  let path = raw.replace(/;[^/]*/g, '')
  try {
    path = decodeURIComponent(path)
  } catch {
    // A path that does not decode matches nothing of ours: it is answered 404.
  }
  return {path: path === '' ? '/' : path, query}
}

function tokens(header: string | undefined): string[] {
  return (header ?? '').split(',').map(token => token.trim().toLowerCase())
}

/**
 * How Jetty takes a request that carries an Upgrade header: `accept` it as a WebSocket, refuse its `version` or missing `key`,
 * call it a `bad-message` (Upgrade without Connection: Upgrade), or treat it as any `plain` request (HTTP/1.0, h2c, not GET, other path).
 */
export function judgeUpgrade(request: IncomingMessage, isWebSocketPath: boolean): 'accept' | 'version' | 'key' | 'bad-message' | 'plain' {
  const upgrade = request.headers.upgrade
  if (upgrade === undefined || request.httpVersion !== '1.1') return 'plain'
  if (!tokens(request.headers.connection).includes('upgrade')) return 'bad-message'
  if (upgrade.trim().toLowerCase() !== 'websocket' || request.method !== 'GET' || !isWebSocketPath) return 'plain'
  if (request.headers['sec-websocket-version']?.trim() !== '13') return 'version'
  return /^[+/0-9A-Za-z]{22}==$/.test(request.headers['sec-websocket-key'] ?? '') ? 'accept' : 'key'
}
