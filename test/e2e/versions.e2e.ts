import {describe, expect, it} from 'vitest'
import {PLAIN} from '../../src/bundle/render.ts'
import type {ProxyName} from '../../src/model/catalogue.ts'
import type {Report} from '../../src/model/report.ts'
import {PROXIES} from '../../src/proxies/index.ts'
import {atLeast} from '../../src/proxies/version.ts'
import {assertAllAccepted, containerOf} from '../support/accepted.ts'
import {idsWith, runCli} from '../support/cli.ts'
import type {ParametersFixture} from '../support/golden.ts'
import {parametersFixtures} from '../support/golden.ts'
import type {VersionImage} from '../support/versions.ts'
import {versionImages} from '../support/versions.ts'

// Hours on a small machine, so on demand alone: GMS_PROXY_VERSIONS=1 npx vitest run --project e2e test/e2e/versions.e2e.ts -t 'nginx 1.18'
// With GMS_PROXY_VERSIONS=accept, each version only judges the text, in every layout, whole and as a fragment: minutes.
const mode = process.env['GMS_PROXY_VERSIONS'] ?? ''
const asked = mode === '1' || mode === 'accept'
const fixtures = asked ? await parametersFixtures() : []
const names = Object.keys(PROXIES) as readonly ProxyName[]

describe.skipIf(!asked)('every version that test/images holds', () => {
  for (const name of names) {
    const images = asked ? versionImages(name) : []
    it(`there are versions of ${name} to try`, () => {
      expect(
        images.map(({version}) => version),
        'build images first: test/images/README.md',
      ).not.toEqual([])
    })
    for (const image of images)
      if (mode === 'accept')
        it(`${name} ${image.version} takes every deployment that it does not decline`, {timeout: 900_000}, async ({annotate}) => {
          await annotate(await acceptedBy(image))
        })
      else
        for (const fixture of fixtures)
          it(`${name} ${image.version} keeps the promises of ${fixture.name}`, {timeout: 900_000}, context =>
            judge(image, fixture, {newest: images.at(-1), skip: context.skip}),
          )
  }
})

/** How many texts one version takes; a build that lacks a directive is asked for one deployment after the other, and those are named. */
async function acceptedBy({proxy: name, version, reference}: VersionImage): Promise<string> {
  const proxy = PROXIES[name]
  if (!atLeast(version, proxy.versions.oldest)) return `older than ${proxy.versions.oldest}`
  await using container = await containerOf(reference)
  const lacking: string[] = []
  let accepted = 0
  for (const fixture of fixtures)
    try {
      accepted += await assertAllAccepted(proxy, proxy.image.command, [fixture.parameters], container)
    } catch (error) {
      const directive = LACKS.exec(JSON.stringify((error as {actual?: unknown}).actual))?.[1]
      if (directive === undefined) throw new Error(`${fixture.name}: ${String(error)}`, {cause: error})
      lacking.push(`${fixture.name} (${directive})`)
    }
  expect(accepted + lacking.length).toBeGreaterThan(fixtures.length / 2)
  return `${accepted} texts${lacking.length > 0 ? `; this build lacks a directive of ${lacking.join(', ')}` : ''}`
}

/** Directives that every version has which is rendered for, and some builds leave out, as the binary complains of them. */
const LACKS = /unknown directive \\"(stub_status|geo|split_clients)/

/** Directives that every version has which is rendered for, and some builds leave out: not to know them says nothing about a version. */
const LEFT_OUT_BY_BUILDS = /this build is too old for it, or lacks a module: unknown directive "(?:stub_status|geo|split_clients)"/

async function judge(
  image: VersionImage,
  fixture: ParametersFixture,
  {newest, skip}: {newest: VersionImage | undefined; skip: (note: string) => void},
): Promise<void> {
  const proxy = PROXIES[image.proxy]
  if (!atLeast(image.version, proxy.versions.oldest)) {
    const {exitCode, stderr} = await runCli(verifyArguments(image, fixture))
    expect(stderr).toContain(`${proxy.title} ${image.version} is too old`)
    expect(exitCode).toBe(2)
    return
  }
  const declared = proxy.unsupported(fixture.parameters, {...PLAIN, version: image.version})
  if (declared.length > 0) {
    const {exitCode, stderr} = await runCli(verifyArguments(image, fixture))
    for (const {path, because} of declared) expect(stderr).toContain(`${path}: ${because}`)
    expect(exitCode).toBe(2)
    return
  }
  const outcome = await outcomeOf(image, fixture)
  if (typeof outcome === 'string') return skip(outcome)
  expect(outcome).toMatchObject({version: image.version, failed: [], errored: [], warnings: '', exitCode: 0})
  expect(outcome.passed).toContain('listener-config-accepted')
  // What is left out is left out for the deployment or for this machine, never for the version.
  if (newest && newest !== image && proxy.unsupported(fixture.parameters, {...PLAIN, version: newest.version}).length === 0)
    expect(outcome.skipped).toEqual(skippedOf(await outcomeOf(newest, fixture), outcome))
}

function verifyArguments({proxy, reference}: VersionImage, {file}: ParametersFixture): readonly string[] {
  return ['verify', proxy, '--params', file, '--runtime', 'docker', '--image', `${proxy}=${reference}`]
}

interface MatrixOutcome {
  version: string | undefined
  exitCode: number | undefined
  /** What the proxy's own test warned of; `''` when it was content. */
  warnings: string
  passed: readonly string[]
  failed: readonly string[]
  errored: readonly string[]
  skipped: readonly string[]
}

/** What the newest build that can be asked leaves out. */
function skippedOf(reference: MatrixOutcome | string, own: MatrixOutcome): readonly string[] {
  return typeof reference === 'string' ? own.skipped : reference.skipped
}

const known = new Map<string, Promise<MatrixOutcome | string>>()

/** Each pair is run once, though the newest version is what the others are compared with. */
function outcomeOf(image: VersionImage, fixture: ParametersFixture): Promise<MatrixOutcome | string> {
  const key = `${image.reference} ${fixture.name}`
  const outcome = known.get(key) ?? run(image, fixture)
  known.set(key, outcome)
  return outcome
}

/** What came of it, or why this build cannot be asked. */
async function run(image: VersionImage, fixture: ParametersFixture): Promise<MatrixOutcome | string> {
  const {stdout, stderr, exitCode} = await runCli([...verifyArguments(image, fixture), '--format', 'json'])
  const lacking = LEFT_OUT_BY_BUILDS.exec(stderr)?.[0]
  if (exitCode === 3 && stdout === '' && lacking !== undefined) return lacking
  if (stdout === '') throw new Error(`no report (exit ${exitCode}): ${stderr}`)
  const [subject] = (JSON.parse(stdout) as Report).subjects
  return {
    version: subject?.proxyVersion,
    exitCode,
    warnings: subject?.outcomes.find(({id}) => id === 'listener-config-accepted')?.detail ?? '',
    passed: idsWith(subject, 'passed'),
    failed: idsWith(subject, 'failed'),
    errored: idsWith(subject, 'errored'),
    skipped: idsWith(subject, 'skipped'),
  }
}
