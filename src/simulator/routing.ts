import type {Logger} from '../log.ts'
import {COMETD_PATH} from '../wire/bayeux.ts'
import {FILES_PATH} from '../wire/chat.ts'
import type {BayeuxServer} from './bayeux-server.ts'
import {isHealthPath, serveHealth, type HealthOptions, type HealthSubject} from './health.ts'
import type {HttpExchange} from './http-exchange.ts'
import {serveHttp} from './http-transports.ts'
import {strikePlain, type Strike} from './strike.ts'
import type {UploadService} from './upload-service.ts'

/** What a node serves beside GMS's own paths, as a company's web server does for its customers. */
export interface Page {
  contentType: string
  body: string | Buffer
}

/** All that a path of a node can lead to. */
export interface Servlets {
  node: HealthSubject & {readonly name: string}
  bayeux: BayeuxServer
  files: UploadService
  health: HealthOptions
  pages: ReadonlyMap<string, Page> | undefined
  strike: Strike
  logger: Logger
}

/** Answers a request by what its path leads to. */
export function route(exchange: HttpExchange, {node, bayeux, files, health, pages, strike, logger}: Servlets): void {
  if (isUnder(exchange.path, COMETD_PATH)) serveCometd(exchange, bayeux, strike, logger)
  else if (exchange.path === FILES_PATH) strikePlain(exchange, strike(exchange.capture, ['files']), () => files.serve(exchange, node.name))
  else if (isHealthPath(exchange.path))
    strikePlain(exchange, strike(exchange.capture, ['health']), () => serveHealth(exchange, node, health))
  else {
    exchange.streamBody()
    const page = exchange.method === 'GET' ? pages?.get(exchange.path) : undefined
    if (page) exchange.send(200, {'Content-Type': page.contentType}, page.body)
    else exchange.refuse(404, 'Not Found')
  }
}

/** Whatever a client sends costs itself its answer, and nobody else theirs. */
function serveCometd(exchange: HttpExchange, bayeux: BayeuxServer, strike: Strike, logger: Logger): void {
  serveHttp(exchange, bayeux, strike).catch((error: unknown) => {
    logger.warn(`${exchange.capture.node}: ${exchange.path} failed: ${String(error)}`)
    exchange.refuse(500, 'Server Error', 'cometd')
  })
}

/** `path` itself or anything below it: a servlet mapping `/cometd/*`. */
function isUnder(path: string, prefix: string): boolean {
  return path === prefix || path.startsWith(`${prefix}/`)
}
