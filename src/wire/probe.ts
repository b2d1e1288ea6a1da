/**
 * Request header by which what a client sent and what GMS received are matched. Its value is unique per request.
 * GMS ignores it; proxies pass unknown end-to-end headers on (RFC 9110, 5.1).
 */
export const PROBE_HEADER = 'x-gms-proxy-probe'
