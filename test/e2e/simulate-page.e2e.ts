import {once} from 'node:events'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {execa} from 'execa'
import type {Browser, Page} from 'puppeteer-core'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {findChromium, launchChromium} from '../support/chromium.ts'
import {projectRoot} from '../support/cli.ts'
import {PollingUser} from '../support/simulator-client.ts'

// The page of `gms-proxy simulate` in a real browser: the program as it is shipped, and the official CometD library.
const chromium = await findChromium()
if (chromium === undefined) process.stderr.write('skipped: the page of simulate: no Chromium here (name one by CHROME_PATH)\n')

interface Addresses {
  pages: readonly string[]
  control: string
}

/** Runs `simulate` until it is disposed of; then it must have gone as after Ctrl-C. */
async function simulate(...args: readonly string[]): Promise<Addresses & AsyncDisposable> {
  const run = execa(process.execPath, [join(projectRoot, 'bin/run.js'), 'simulate', '--format', 'json', ...args], {reject: false})
  const lines = createInterface(run.stdout)
  const first = await Promise.race([once(lines, 'line'), run]).then(line => (Array.isArray(line) ? String(line[0]) : undefined))
  if (first === undefined) throw new Error(`simulate said nothing: ${(await run).stderr}`)
  return {
    ...(JSON.parse(first) as Addresses),
    async [Symbol.asyncDispose]() {
      run.kill('SIGINT')
      expect((await run).exitCode).toBe(130)
    },
  }
}

describe.skipIf(chromium === undefined)('the page of simulate', () => {
  let browser: Browser
  let page: Page
  let errors: string[]

  beforeAll(async () => {
    browser = await launchChromium(chromium ?? '')
  })
  afterAll(() => browser.close())

  async function open(url: string): Promise<void> {
    await page?.close()
    page = await browser.newPage()
    await page.setViewport({width: 1440, height: 900})
    errors = []
    page.on('pageerror', error => errors.push(String(error)))
    page.on('request', request => {
      if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).hostname !== '127.0.0.1') errors.push(`loads ${request.url()}`)
    })
    await page.goto(url)
    await page.waitForSelector('.node')
  }

  // In the words of the browser: the types of this program know no page.
  const sees = (selector: string, words: string) =>
    page.waitForFunction(
      `[...document.querySelectorAll(${JSON.stringify(selector)})].some(element => element.textContent.includes(${JSON.stringify(words)}))`,
      {timeout: 20_000},
    )
  const unfold = (id: string) => page.evaluate(`document.getElementById(${JSON.stringify(id)}).open = true`)
  const press = (where: string, label: string) =>
    page.evaluate(
      `[...document.querySelectorAll(${JSON.stringify(`${where} button`)})].find(button => button.textContent === ${JSON.stringify(label)}).click()`,
    )
  const setDevice = () => page.evaluate(`document.querySelector('[name=device]').value = 'phone-1'`)
  const publish = async (operation: string): Promise<void> => {
    await unfold('operations')
    await page.select('#operation [name=operation]', operation)
    await page.click('#operation button')
  }
  const startChat = async (transport: string): Promise<void> => {
    await page.click(`input[value=${transport}]`)
    await page.click('#open')
    await page.waitForSelector('#message:not(:disabled)')
  }

  it.each(['websocket', 'long-polling', 'callback-polling'])('chats over %s, and shows both ends', async transport => {
    await using simulator = await simulate()
    await open(simulator.pages[0]!)
    await setDevice()
    await startChat(transport)
    await sees('#session', `connected · ${transport}`)
    await page.type('#message', 'where is my order?')
    await page.keyboard.press('Enter')
    await sees('.bubble.own', 'where is my order?')
    await sees('.bubble', 'You said: where is my order?')
    await page.type('#agent [name=says]', 'one moment')
    await page.keyboard.press('Enter')
    await sees('.bubble', 'one moment')
    await sees('#pushed li', 'phone-1')
    await sees('#chats summary', 'chat 1, Ada: on gms1')
    for (const lane of ['.wire.client', '.wire.gms']) await sees(lane, 'sendMessage')
    await sees('.wire.gms', transport === 'websocket' ? 'gms1 ws' : transport === 'long-polling' ? 'gms1 lp' : 'gms1 cb')

    for (const [operation, event] of [
      ['pushUrl', 'PushUrl'],
      ['updateNickname', 'NicknameUpdated'],
      ['customNotice', 'CustomNotice'],
    ] as const) {
      await publish(operation)
      await sees('.event', event)
    }
    for (const operation of ['updateData', 'readReceipt', 'startTyping', 'stopTyping', 'requestNotifications', 'sendMessage']) {
      await publish(operation)
      await sees('.wire.gms', operation)
    }

    const file = await page.$('#upload [name=file]')
    const path = join(projectRoot, 'fixtures/screenshots/simulate.png')
    await unfold('files')
    await (file as unknown as {uploadFile(path: string): Promise<void>}).uploadFile(path)
    await page.click('#upload button')
    await sees('#filelist li', 'simulate.png')
    await press('#filelist', 'Download')
    await sees('#fileresult', 'fileDownload → 200')
    await press('#filelist', 'Delete')
    await sees('#fileresult', 'fileDelete → 200')

    await publish('disconnect')
    await sees('.event', 'the chat has ended')
    await sees('#session', 'not connected')
    expect(errors).toEqual([])
  })

  it.each(['websocket', 'long-polling', 'callback-polling'])('tells what it did itself over %s from what others did', async transport => {
    await using simulator = await simulate()
    await open(simulator.pages[0]!)
    await page.click('#mine')
    await startChat(transport)
    await sees('.wire.gms:not([hidden])', 'ParticipantJoined 3')
    const tags = {websocket: 'ws', 'long-polling': 'lp', 'callback-polling': 'cb'}
    const tag = `gms1 ${tags[transport as keyof typeof tags]}`
    const rows = (await page.evaluate(
      `[...document.querySelectorAll('.wire.gms:not([hidden]) summary')].map(({textContent}) => textContent)`,
    )) as string[]
    expect(rows).toEqual(expect.arrayContaining([`→ ${tag} handshake #1`, `← ${tag} handshake #1 ok`, `→ ${tag} requestChat #3`]))
    const stranger = await new PollingUser(Number(new URL(simulator.pages[0]!).port)).start()
    await stranger.ask({operation: 'requestChat', nickname: 'Stranger'})
    await sees('#chats summary', 'Stranger')
    await sees('.wire.gms[hidden]', 'requestChat')
    expect(rows.length).toBeLessThanOrEqual(await page.$$eval('.wire.gms:not([hidden])', all => all.length))
    expect(await page.$$('.wire.gms[data-mine=false]:not([hidden])')).toEqual([])
  })

  it('shows whatever clients send as text, and goes on', async () => {
    await using simulator = await simulate()
    await open(simulator.pages[0]!)
    const markup = `<img src=x onerror="document.title='run'">`
    const user = await new PollingUser(Number(new URL(simulator.pages[0]!).port)).start()
    for (const data of [
      {messages: 5},
      {messages: [null, {type: {toString: 1}}], errors: {}},
      {operation: {toString: 1}},
      {operation: markup},
      JSON.parse('['.repeat(2000) + ']'.repeat(2000)) as object,
    ])
      await user.post([user.message('/service/chatV2/customer-support', {data, id: {toString: 1} as unknown as string})])
    await user.ask({operation: 'requestChat', nickname: markup, userData: {[markup]: markup}})
    await page.type('#agent [name=says]', markup)
    await page.keyboard.press('Enter')
    await sees('#chats summary', '3 events')
    await user.connect({advice: {timeout: 0}})
    await sees('.wire.gms', `Message 4 “${markup}”`)
    await sees('#chats summary', markup)
    expect(await page.$$eval('main img', all => all.length)).toBe(0)
    expect(errors).toEqual([])
  })

  it('fits a window of 1024, and keeps focus and what is unfolded when something happens', async () => {
    await using simulator = await simulate()
    await open(simulator.pages[0]!)
    await page.setViewport({width: 1024, height: 768})
    await startChat('websocket')
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(1024)
    await sees('#chats summary', '2 events')
    await page.focus('#chats summary')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#chats details[open]')
    await fetch(`${simulator.control}agent`, {
      method: 'POST',
      headers: {'x-simulator-control': '1'},
      body: JSON.stringify({says: 'anew'}),
    })
    await sees('#chats summary', '3 events')
    await sees('#chats details[open] pre', 'anew')
    expect(await page.evaluate('document.activeElement.textContent')).toContain('3 events')
  })

  it('switches a fault on, sees it strike, and off again', async () => {
    await using simulator = await simulate()
    await open(simulator.pages[0]!)
    await startChat('long-polling')
    await page.select('#fault [name=kind]', 'session-unknown')
    await page.select('#fault [name=on]', 'publish')
    await page.click('#fault > button')
    await sees('#faultlist li', 'session-unknown on publish · struck 0×')
    await publish('customNotice')
    await sees('.wire.gms.fault', 'session-unknown strikes publish')
    await sees('.wire.client.failed', '402::session_unknown')
    await sees('#faultlist li', 'struck 1×')
    await page.click('#nofaults')
    await page.waitForFunction(`document.querySelectorAll('#faultlist li').length === 0`)
    await page.select('#fault [name=kind]', 'oversize')
    await page.select('#fault [name=on]', 'health')
    await page.click('#fault > button')
    await sees('#trouble', 'it cannot strike on health')
  })

  it('stops and starts the node it chats with; the chat goes on', async () => {
    await using simulator = await simulate('--nodes', '1')
    await open(simulator.pages[0]!)
    await startChat('websocket')
    await press('.node', 'Stop')
    await page.waitForSelector('.node.stopped')
    await press('.node', 'Start')
    await page.waitForSelector('.node.online')
    // The client comes back by itself, to a node that does not know it, and asks for what it has missed.
    await sees('.wire.gms', 'requestNotifications')
    await page.type('#agent [name=says]', 'still there?')
    await page.keyboard.press('Enter')
    await sees('.bubble', 'still there?')
    await press('.node', 'Drain')
    await page.waitForSelector('.node.offline')
    expect(await page.$$eval('.bubble', all => all.length)).toBe(1)
    expect(errors).toEqual([])
  })

  it('chats over TLS with a throw-away certificate', async () => {
    await using simulator = await simulate('--tls')
    expect(simulator.pages[0]).toMatch(/^https:/)
    await open(simulator.pages[0]!)
    await startChat('websocket')
    await sees('#session', 'connected · websocket')
  })

  it('lets no page of another site control it', async () => {
    await using simulator = await simulate()
    await using other = await simulate()
    await open(other.pages[0]!)
    const tried = await page.evaluate(async url => {
      const ways: RequestInit[] = [
        {method: 'DELETE', headers: {'x-simulator-control': '1'}},
        {method: 'POST', body: '{"fault":{"kind":"hang"}}', mode: 'no-cors'},
        {headers: {'x-simulator-control': '1'}},
      ]
      return Promise.all(
        ways.map(way =>
          fetch(`${url}faults`, way).then(
            ({type, status}) => `${type} ${status}`,
            () => 'refused',
          ),
        ),
      )
    }, simulator.control)
    // Our own page may call its own control port only: the policy of the page stops it before the guard would.
    expect(tried).toEqual(['refused', 'refused', 'refused'])
    const state = (await (await fetch(`${simulator.control}state`, {headers: {'x-simulator-control': '1'}})).json()) as {faults: unknown[]}
    expect(state.faults).toEqual([])
  })

  const keep = process.env['GMS_PROXY_SCREENSHOTS']
  it.skipIf(keep === undefined)('is photographed', async () => {
    await using simulator = await simulate()
    await open(simulator.pages[0]!)
    await setDevice()
    await startChat('websocket')
    await page.type('#message', 'Hello, where is my order?')
    await page.keyboard.press('Enter')
    await sees('.bubble', 'You said')
    await page.select('#fault [name=kind]', 'delay')
    await page.select('#fault [name=on]', 'publish')
    await page.click('#fault > button')
    await sees('#faultlist li', 'delay')
    await page.type('#agent [name=says]', 'One moment, I am looking it up.')
    await page.keyboard.press('Enter')
    await sees('.bubble', 'One moment')
    await publish('updateNickname')
    await sees('.wire.gms.fault', 'delay')
    await sees('.event', 'NicknameUpdated')
    await writeFile(keep ?? '', await page.screenshot({type: 'png'}))
  })
})
