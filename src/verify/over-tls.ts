import type {Target} from '../flows/flow.ts'
import type {Stage} from './check.ts'

/** Why checks of TLS are not judged. */
export const NO_TLS = 'nothing here speaks TLS, and nothing promises it'

/** Users who come over https: where the chat listener speaks TLS, and where it was promised to. `undefined` where neither holds. */
export function overTls({target, promises}: Pick<Stage, 'target' | 'promises'>): Target | undefined {
  if (target.url.protocol === 'https:') return target
  if (!promises.tls) return undefined
  const url = new URL(target.url.href.replace(/^http:/, 'https:'))
  // The port of http is not that of https.
  if (target.url.port === '') url.port = '80'
  return {...target, url, ...(promises.serverName === undefined ? {} : {serverName: promises.serverName})}
}

/** A stage whose users come over https. */
export function stageOverTls<S extends Stage>(stage: S, secure: Target): S {
  return {...stage, target: secure, flow: (flow, input, against = secure) => stage.flow(flow, input, against)}
}
