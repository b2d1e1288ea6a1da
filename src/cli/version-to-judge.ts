import {wholeVersion} from '../bundle/renderable.ts'
import {EnvironmentError} from '../errors.ts'
import type {Proxy} from '../proxies/proxy.ts'
import {resolveRuntime} from '../runtime/resolve.ts'

/** The version whose defaults and words hold, and why. */
export interface JudgedVersion {
  /** `X.Y.Z` */
  version: string
  reason: string
}

/**
 * What a configuration that is only read is meant for: the version that was `asked` for, else that of the proxy on this
 * machine (or of `binary`), else the newest that is known.
 * @throws UsageError, EnvironmentError when `binary` cannot be asked.
 */
export async function versionToJudge(
  proxy: Proxy,
  {asked, binary, signal}: {asked?: string | undefined; binary?: string | undefined; signal: AbortSignal},
): Promise<JudgedVersion> {
  if (asked !== undefined) {
    const version = wholeVersion(proxy, asked)
    return {version, reason: `read as ${proxy.title} ${version}: asked for`}
  }
  try {
    const {version, reason} = await resolveRuntime(proxy, {prefer: 'binary', ...(binary === undefined ? {} : {binary})}, signal)
    return {version, reason: `read as ${reason}`}
  } catch (error) {
    if (binary !== undefined || !(error instanceof EnvironmentError)) throw error
    const {newest} = proxy.versions
    return {
      version: newest,
      reason: `read as ${proxy.title} ${newest}: the newest that is known, and none is installed here; --proxy-version names another`,
    }
  }
}
