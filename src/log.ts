/** Passed in, never imported as a global. Library code is silent by default. */
export interface Logger {
  debug(message: string): void
  info(message: string): void
  warn(message: string): void
}

export const silentLogger: Logger = {debug() {}, info() {}, warn() {}}
