import type {ParsedConfig} from '../syntax.ts'
import {isNamed, walk} from './parse.ts'

/** Variables that Debian's start script sets before httpd reads its files (/etc/apache2/envvars), and where they point in the sandbox. */
export const DEBIAN_VARIABLES: Readonly<Record<string, string>> = {
  APACHE_RUN_USER: 'www-data',
  APACHE_RUN_GROUP: 'www-data',
  APACHE_PID_FILE: '{folder}/httpd.pid',
  APACHE_RUN_DIR: '{folder}',
  APACHE_LOCK_DIR: '{folder}',
  APACHE_LOG_DIR: '{folder}',
}

/** Text with its `${NAME}` replaced, and the names that cannot be followed. */
export interface Resolved {
  text: string
  unknown: readonly string[]
}

/**
 * Follows `${NAME}` as httpd does (ap_resolve_env, server/util.c). A variable that is defined twice with different values, or that holds
 * white space, quotes or angle brackets, is unknown: what it becomes depends on more than its text.
 */
export class Variables {
  private readonly values = new Map<string, string | undefined>()

  constructor(config: ParsedConfig) {
    for (const {directive} of walk(config)) {
      if (!isNamed(directive, 'Define')) continue
      const [name, value] = directive.args
      if (!name) continue
      const text = value?.value ?? ''
      const known = this.values.has(name.value) && this.values.get(name.value) !== text
      this.values.set(name.value, known || /[\s"'<>\\`]/.test(text) ? undefined : text)
    }
  }

  /** True for `Define NAME` anywhere. */
  isDefined(name: string): boolean {
    return this.values.has(name)
  }

  resolve(text: string, depth = 0): Resolved {
    const unknown: string[] = []
    const replaced = text.replace(/\$\{([^}]*)\}/g, (whole, name: string) => {
      const value =
        this.values.get(name) ?? (!this.values.has(name) && Object.hasOwn(DEBIAN_VARIABLES, name) ? DEBIAN_VARIABLES[name] : undefined)
      if (value === undefined || depth > 5) {
        // rewrite maps are called as ${map:key}: no variable of the configuration
        if (!name.includes(':')) unknown.push(name)
        return whole
      }
      const inner = this.resolve(value, depth + 1)
      unknown.push(...inner.unknown)
      return inner.text
    })
    return {text: replaced, unknown}
  }
}
