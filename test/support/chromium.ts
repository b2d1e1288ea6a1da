import {access, constants} from 'node:fs/promises'
import {delimiter, join} from 'node:path'
import puppeteer, {type Browser} from 'puppeteer-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']

/** A browser of this machine: `CHROME_PATH`, else the first on the PATH. */
export async function findChromium(): Promise<string | undefined> {
  const named = process.env['CHROME_PATH']
  if (named !== undefined) return named
  for (const folder of (process.env['PATH'] ?? '').split(delimiter))
    for (const name of NAMES) {
      const path = join(folder, name)
      const there = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
      if (there) return path
    }
  return undefined
}

/** Starts it without a window; `names` are host names that lead to this machine. */
export async function launchChromium(executablePath: string, {names = []}: {names?: readonly string[]} = {}): Promise<Browser> {
  return puppeteer.launch({
    executablePath,
    headless: true,
    acceptInsecureCerts: true,
    args: [
      '--no-sandbox',
      '--disable-dev-shm-usage',
      '--disable-gpu',
      ...(names.length === 0 ? [] : [`--host-resolver-rules=${names.map(name => `MAP ${name} 127.0.0.1`).join(',')}`]),
    ],
  })
}
