import {whatIsMissing} from './real-cometd.ts'

/** vitest's globalSetup: says plainly why the suite cannot run, instead of failing in every test. */
export default function checkTools(): void {
  const missing = whatIsMissing()
  if (missing !== undefined) throw new Error(`${missing} On Debian: apt-get install openjdk-17-jdk-headless maven`)
}
