import {execFileSync} from 'node:child_process'
import type {ProxyName} from '../../src/model/catalogue.ts'

const NAMES: Readonly<Record<ProxyName, string>> = {nginx: 'nginx', apache: 'httpd', haproxy: 'haproxy'}

/** The image to test with: named by `GMS_PROXY_IMAGE`, or built by test/images/build.sh (of several suites, its default one); `undefined` without an engine or image, then such tests are skipped. */
export function testImage(proxy: ProxyName): string | undefined {
  const named = (process.env['GMS_PROXY_IMAGE'] ?? '').split(',').find(entry => entry.startsWith(`${proxy}=`))
  if (named !== undefined) return named.slice(proxy.length + 1)
  const images = testImages(proxy)
  return images.find(reference => reference.endsWith(':trixie')) ?? images[0]
}

/** All images of test/images of one proxy, newest build first. */
export function testImages(proxy: ProxyName): readonly string[] {
  return dockerLines(['image', 'ls', '--format', '{{.Repository}}:{{.Tag}}', `gms-proxy-test/${NAMES[proxy]}`])
}

/** Output of a docker command, line by line; empty when there is no engine. */
export function dockerLines(args: readonly string[]): readonly string[] {
  try {
    return execFileSync('docker', args, {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']})
      .split('\n')
      .filter(line => line !== '')
  } catch {
    return []
  }
}
