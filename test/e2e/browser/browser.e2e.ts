import {join} from 'node:path'
import {build} from 'esbuild'
import type {Browser} from 'puppeteer-core'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {PROXIES} from '../../../src/proxies/index.ts'
import {BAYEUX_TRANSPORTS, META} from '../../../src/wire/bayeux.ts'
import {findChromium, launchChromium} from '../../support/chromium.ts'
import {projectRoot} from '../../support/cli.ts'
import {proxiedSimulator} from '../../support/proxied-simulator.ts'
import type {Conversation} from './conversation.ts'

// Nobody here wrote this client: Chromium's WebSocket, XMLHttpRequest, script elements, fetch, cookies and connection handling.
const PAGE_PATH = '/shop/help'
const SERVER_NAME = 'chat.example.com'
const FILE_BYTES = 2 * 1024 * 1024
const chromium = await findChromium()
if (chromium === undefined) process.stderr.write('skipped: chats from a real browser: no Chromium here (name one by CHROME_PATH)\n')

describe.skipIf(chromium === undefined)('a page in Chromium', () => {
  let browser: Browser
  let page = ''
  beforeAll(async () => {
    const {outputFiles} = await build({
      entryPoints: [join(projectRoot, 'test/e2e/browser/page/page.ts')],
      bundle: true,
      format: 'iife',
      charset: 'utf8',
      write: false,
      logLevel: 'error',
    })
    const script = (outputFiles[0]?.text ?? '').replaceAll('</script', '<\\/script')
    page = `<!doctype html><meta charset="utf-8"><title>Help</title><h1>Chat with us</h1><script>${script}</script>`
    browser = await launchChromium(chromium ?? '', {names: [SERVER_NAME]})
  })
  afterAll(() => browser.close())

  describe.each(Object.values(PROXIES).map(proxy => [proxy.name, proxy] as const))('served through rendered %s', (_, proxy) => {
    let set: Awaited<ReturnType<typeof proxiedSimulator>>
    beforeAll(async () => {
      set = await proxiedSimulator(proxy, {
        overrides: ['access.paths=/genesys/cometd,/genesys/2/chat-ntf,/shop'],
        pages: new Map([[PAGE_PATH, {contentType: 'text/html;charset=utf-8', body: page}]]),
      })
    })
    afterAll(() => set[Symbol.asyncDispose]())

    it.each([...BAYEUX_TRANSPORTS, 'negotiated'] as const)('chats and sends a file over %s', {timeout: 90_000}, async transport => {
      // A context of its own is a customer of his own: no cookie of the one before.
      const context = await browser.createBrowserContext()
      try {
        const tab = await context.newPage()
        const broken: string[] = []
        tab.on('pageerror', error => broken.push(String(error)))
        await tab.goto(`http://${SERVER_NAME}:${set.target.url.port}${PAGE_PATH}`)
        const before = set.simulator.recorder.requests.length
        const conversation = (await tab.evaluate(
          (way, bytes) => (globalThis as unknown as {converse(way: string, bytes: number): Promise<unknown>}).converse(way, bytes),
          transport,
          FILE_BYTES,
        )) as Conversation
        expect(broken).toEqual([])
        const used = transport === 'negotiated' ? 'websocket' : transport
        expect(conversation).toMatchObject({negotiated: used, ended: true})
        expect(conversation.downloadedSha256).toBe(conversation.sentSha256)

        // The second witness: one session, over that transport alone, with its files on the same node.
        const seen = set.simulator.recorder.requests.slice(before)
        const chat = seen.filter(({messages}) => messages.length > 0)
        expect(new Set(chat.map(request => request.transport))).toEqual(new Set([used]))
        expect(chat.flatMap(({messages}) => messages).filter(({channel}) => channel === META.handshake)).toHaveLength(1)
        expect(new Set(seen.filter(request => request.transport !== 'websocket').map(({node}) => node)).size).toBe(1)
        expect(seen.every(({headers}) => headers['host']?.[0] === `${SERVER_NAME}:${set.target.url.port}`)).toBe(true)
      } finally {
        await context.close()
      }
    })
  })
})
