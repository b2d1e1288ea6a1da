import {randomBytes} from 'node:crypto'

/** The cookie of the web server under GMS, by which an operator's proxy finds the node of a session. */
export interface SessionCookie {
  name: string
  /** What ends the cookie of node n, after a dot (Jetty's `workerName`); a node without sets a cookie that names none. */
  routes?: readonly (string | undefined)[]
}

/** GMS is one web application, and its cookie belongs to that (vendor page, Node API: `Path=/genesys;HttpOnly`). */
const PATH = '/genesys'

/**
 * The session cookies of one node from one start to its stop. Jetty looks a session up by what stands before the route: whoever brings none
 * that lives here is given another, and so is one that lives here and names another node.
 */
export class SessionCookies {
  readonly #name: string
  readonly #end: string
  readonly #start = `node0${randomBytes(6).toString('hex')}`

  constructor(name: string, route: string | undefined) {
    this.#name = name
    this.#end = route === undefined ? '' : `.${route}`
  }

  /** The value of `Set-Cookie` for the answer to a request for `path`; `brought` are its `Cookie` headers. Absent: none is set. */
  for(path: string, brought: readonly string[]): string | undefined {
    if (path !== PATH && !path.startsWith(`${PATH}/`)) return undefined
    const values = brought
      .flatMap(header => header.split(';'))
      .map(pair => pair.trim())
      .filter(pair => pair.startsWith(`${this.#name}=`))
      .map(pair => pair.slice(this.#name.length + 1))
    if (values.some(value => this.#isOwn(value))) return undefined
    return `${this.#name}=${this.#start}${randomBytes(8).toString('hex')}${this.#end}; Path=${PATH}; HttpOnly`
  }

  #isOwn(value: string): boolean {
    const id = value.slice(0, value.length - this.#end.length)
    return value.endsWith(this.#end) && /^[0-9a-f]{16}$/.test(id.slice(this.#start.length)) && id.startsWith(this.#start)
  }
}
