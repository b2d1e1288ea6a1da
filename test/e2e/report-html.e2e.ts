import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {pathToFileURL} from 'node:url'
import type {Browser, Page} from 'puppeteer-core'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import type {Finding, Outcome, Report} from '../../src/model/report.ts'
import {html} from '../../src/report/html.ts'
import {findChromium, launchChromium} from '../support/chromium.ts'
import {
  causes,
  diagnosed,
  errored,
  failed,
  fixed,
  lintReport,
  passed,
  read,
  reportOf,
  seenLive,
  skipped,
  subject,
} from '../support/reports.ts'

// The HTML report in a real browser, with JavaScript off: what cannot be seen in its text.
const chromium = await findChromium()
if (chromium === undefined) process.stderr.write('skipped: the HTML report: no Chromium here (name one by CHROME_PATH)\n')

const [finding] = failed.findings as [Finding]
const line = `POST /genesys/cometd/connect → 504 in 25.0 s: ${'<b>unbroken</b>'.repeat(40)}`
const timed = {
  ...failed,
  findings: [
    {...finding, evidence: {...finding.evidence, client: [line], moments: [{end: 'client' as const, text: line, at: 3, tookMs: 25_000}]}},
  ],
}
const outcomes = [passed, timed, {...timed, id: 'polling-chat', severity: 'warning' as const}, skipped, errored]
const [found] = read.findings as [Finding]
const deep = `/etc/nginx/${'a-very-long-folder-name/'.repeat(9)}sites-enabled/chat.example.com.conf`
const many = Array.from({length: 60}, (_, index): Outcome => {
  const severity = (['error', 'warning', 'note'] as const)[index % 3] ?? 'note'
  return {
    ...read,
    id: `upload-rule-${index}`,
    severity,
    findings: [{...found, location: {...found.location!, file: deep, line: index + 1}}],
  }
})
const told = causes.map(cause => ({...cause, title: cause.title.repeat(4), location: {file: deep, line: 3, column: 1}}))
const REPORTS: Readonly<Record<string, Report>> = {
  'one proxy': reportOf(subject(outcomes)),
  'three proxies': reportOf(...['nginx', 'apache', 'x'.repeat(120)].map(name => subject(outcomes, {name}))),
  'that all is well': reportOf(subject([{...passed, id: 'polling-chat'}])),
  'what was read': lintReport,
  'sixty findings of two folders': {...lintReport, subjects: [subject(many, {name: deep}), ...lintReport.subjects]},
  causes: diagnosed,
  'causes of several subjects': {...diagnosed, subjects: [...diagnosed.subjects, subject([failed], {name: deep, causes: told})]},
  'a fix': fixed,
  'what was seen at a URL': seenLive,
}

/** In the words of the browser: texts whose colours are too near to each other (WCAG 2.2, 1.4.3: 4.5 to 1). */
const PALE = `(() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true})
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = colour
    canvas.fillRect(0, 0, 1, 1)
    return [...canvas.getImageData(0, 0, 1, 1).data]
  }
  const light = ([r, g, b]) => [r, g, b]
    .map(value => value / 255)
    .map(value => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0)
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor)
      if (colour[3] === 255) return colour
    }
    return [255, 255, 255, 255]
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const found = []
  let seen = 0
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement
    if (walker.currentNode.data.trim() === '' || element.closest('.hidden, .skip') || !element.checkVisibility()) continue
    seen++
    const [a, b] = [light(rgba(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x)
    const ratio = (a + 0.05) / (b + 0.05)
    if (ratio < 4.5) found.push(ratio.toFixed(2) + ' ' + element.className + ' ' + walker.currentNode.data.trim().slice(0, 40))
  }
  return {seen, found}
})()`

describe.skipIf(chromium === undefined).each(Object.entries(REPORTS))('a report of %s', (_, report) => {
  let browser: Browser
  let folder: string
  let page: Page
  const troubles: string[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gms-proxy-html-'))
    const file = join(folder, 'report.html')
    await writeFile(
      file,
      html(report, {colour: false, width: 100, verbose: true}, () => undefined),
    )
    browser = await launchChromium(chromium ?? '')
    page = await browser.newPage()
    await page.setJavaScriptEnabled(false)
    page.on('console', message => troubles.push(message.text()))
    page.on('pageerror', error => troubles.push(String(error)))
    page.on('request', request => {
      if (request.url() !== pathToFileURL(file).href && !request.url().startsWith('data:')) troubles.push(`loads ${request.url()}`)
    })
    await page.goto(pathToFileURL(file).href)
    // What is folded is judged too.
    await page.evaluate(`document.querySelectorAll('details').forEach(each => { each.open = true })`)
  })
  afterAll(async () => {
    await browser?.close()
    await rm(folder, {recursive: true, force: true})
  })

  it('loads nothing and complains of nothing', async () => {
    expect(await page.title()).not.toBe('')
    expect(troubles).toEqual([])
  })

  it.each([400, 1200])('needs no scrolling sideways at %i px', async width => {
    await page.setViewport({width, height: 900})
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
  })

  it.each(['light', 'dark'])('can be read in the %s', async value => {
    await page.emulateMediaFeatures([{name: 'prefers-color-scheme', value}])
    const {seen, found} = (await page.evaluate(PALE)) as {seen: number; found: string[]}
    expect(seen).toBeGreaterThan(5)
    expect(found).toEqual([])
  })
})
