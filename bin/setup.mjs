#!/usr/bin/env node
// Makes this checkout ready to run: dependencies, build, and a way to run each proxy. Uses nothing but Node.
// A second run finds everything in place and costs a fraction of a second. `--no-proxies` leaves the proxies out.
import {spawnSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs'
import {delimiter, dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const stamps = join(root, 'node_modules/.cache/gms-proxy')
const EXIT_ENVIRONMENT = 3

const say = text => process.stderr.write(`setup: ${text}\n`)

function stop(problem, ...advice) {
  say(problem)
  for (const line of advice) say(`  ${line}`)
  process.exit(EXIT_ENVIRONMENT)
}

function checkNode() {
  const wanted = /(\d+)\.(\d+)\.(\d+)/.exec(manifest.engines.node).slice(1).map(Number)
  const own = process.versions.node.split('.').map(Number)
  const order = own.map((part, index) => part - (wanted[index] ?? 0)).find(difference => difference !== 0) ?? 0
  if (order < 0)
    stop(
      `Node ${process.versions.node} is too old: ${manifest.name} needs ${manifest.engines.node}`,
      'install a newer one: https://nodejs.org/en/download',
    )
}

function stampIs(name, value) {
  const path = join(stamps, name)
  return existsSync(path) && readFileSync(path, 'utf8') === value
}

function stamp(name, value) {
  mkdirSync(stamps, {recursive: true})
  writeFileSync(join(stamps, name), value)
}

function run(file, args, {env = {}} = {}) {
  // What a step prints is progress: stdout belongs to the result of the command that set-up was run for.
  const {status, error} = spawnSync(file, args, {
    cwd: root,
    stdio: ['inherit', process.stderr, process.stderr],
    env: {...process.env, ...env},
  })
  if (error) say(`${file}: ${error.message}`)
  return status === 0
}

function npm(...args) {
  const script = process.env.npm_execpath
  return script && /\.c?js$/.test(script) ? run(process.execPath, [script, ...args]) : run('npm', args)
}

function digest(...parts) {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest('hex')
}

function ensureDependencies() {
  const lock = join(root, 'package-lock.json')
  const installed = join(root, 'node_modules/.package-lock.json')
  const wanted = digest(readFileSync(lock), process.versions.modules)
  if (
    existsSync(installed) &&
    (stampIs('dependencies', wanted) ||
      (!existsSync(join(stamps, 'dependencies')) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs))
  ) {
    if (!stampIs('dependencies', wanted)) stamp('dependencies', wanted)
    return
  }
  say('installing dependencies: npm ci')
  if (!npm('ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'))
    stop('npm ci failed (see above)', 'check the network, or npm config get registry')
  stamp('dependencies', wanted)
}

function sourceFiles(folder) {
  return readdirSync(join(root, folder), {recursive: true, withFileTypes: true})
    .filter(entry => entry.isFile() && !entry.name.endsWith('.test.ts') && !entry.name.includes('.generated.'))
    .map(entry => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
}

function ensureBuild() {
  const files = [
    ...['src', 'templates', 'bin'].flatMap(sourceFiles),
    join(root, 'package.json'),
    join(root, 'package-lock.json'),
    join(root, 'tsconfig.json'),
  ]
  const wanted = digest(...files.flatMap(file => [file, readFileSync(file)]))
  if (stampIs('build', wanted) && existsSync(join(root, 'dist'))) return
  say('building: npm run build')
  if (!npm('run', '--silent', 'build')) {
    say('the build failed (see above)')
    process.exit(1)
  }
  stamp('build', wanted)
}

const PROXIES = {
  nginx: {binaries: ['nginx'], apt: ['nginx-light'], dnf: ['nginx'], apk: ['nginx'], brew: ['nginx']},
  apache: {binaries: ['apache2', 'httpd'], apt: ['apache2'], dnf: ['httpd'], apk: ['apache2', 'apache2-proxy'], brew: ['httpd']},
  haproxy: {binaries: ['haproxy'], apt: ['haproxy'], dnf: ['haproxy'], apk: ['haproxy'], brew: ['haproxy']},
}

/** Package managers in order of preference; `services` keeps packages from starting theirs (dnf, apk and brew start none). */
const MANAGERS = [
  {
    name: 'apt',
    program: 'apt-get',
    before: ['update', '--quiet'],
    install: ['install', '--yes', '--quiet', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120'],
    env: {DEBIAN_FRONTEND: 'noninteractive'},
    startsServices: true,
  },
  {name: 'dnf', program: 'dnf', install: ['install', '--assumeyes', '--setopt=install_weak_deps=False']},
  {name: 'apk', program: 'apk', install: ['add', '--no-cache']},
  {name: 'brew', program: 'brew', install: ['install'], asUser: true},
]

const folders = [
  ...(process.env.PATH ?? '').split(delimiter),
  '/usr/sbin',
  '/usr/local/sbin',
  '/usr/local/bin',
  '/usr/bin',
  '/usr/local/apache2/bin',
  '/opt/homebrew/bin',
  '/opt/homebrew/sbin',
].filter(folder => folder.startsWith('/'))

function which(name) {
  return folders
    .map(folder => join(folder, name))
    .find(path => {
      try {
        accessSync(path, constants.X_OK)
        return statSync(path).isFile()
      } catch {
        return false
      }
    })
}

const missingProxies = () => Object.keys(PROXIES).filter(name => !PROXIES[name].binaries.some(which))

/** The pinned official image, read from the proxy's own descriptor so that it stands in one place only. */
function imageOf(name) {
  const named = (process.env.GMS_PROXY_IMAGE ?? '').split(',').find(entry => entry.startsWith(`${name}=`))
  return (
    named?.slice(name.length + 1) ?? /reference:\s*'([^']+)'/.exec(readFileSync(join(root, 'src/proxies', name, 'index.ts'), 'utf8'))?.[1]
  )
}

/** Which of the proxies the Docker engine can run now; images are pulled when they are missing. */
function inDocker(names) {
  const docker = which('docker')
  const ask = (...args) => spawnSync(docker, args, {encoding: 'utf8', timeout: 10_000})
  if (!docker || !/^\d/.test(ask('info', '--format', '{{.ServerVersion}}').stdout ?? '')) return []
  return names.filter(name => {
    const image = imageOf(name)
    if (!image) return false
    if (ask('image', 'inspect', '--format', '{{.Id}}', image).status === 0) return true
    say(`no ${PROXIES[name].binaries[0]} here: docker pull ${image}`)
    return run(docker, ['pull', '--quiet', image])
  })
}

function install(names) {
  const manager = MANAGERS.find(({program}) => which(program))
  const wanted = names.flatMap(name => (manager ? PROXIES[name][manager.name] : [name]))
  if (!manager)
    stop(
      `${names.join(', ')} cannot be run here: no binary, no Docker engine, no known package manager`,
      'install them by hand, or start a Docker engine, and run this again',
    )
  const program = which(manager.program)
  const isRoot = process.getuid?.() === 0
  const sudo = isRoot || manager.asUser ? [] : [which('sudo')].filter(Boolean)
  const command = [program, ...manager.install, ...wanted]
  if (!isRoot && !manager.asUser && sudo.length === 0)
    stop(
      `${names.join(', ')} cannot be run here, and this user may not install packages`,
      `as root: ${[manager.program, ...command.slice(1)].join(' ')}`,
      'or start a Docker engine, and run this again',
    )
  const env = Object.entries(manager.env ?? {}).map(([key, value]) => `${key}=${value}`)
  const guarded = args => [
    ...sudo,
    ...(manager.startsServices ? ['sh', join(root, 'bin/without-services.sh')] : []),
    'env',
    ...env,
    ...args,
  ]
  const steps = [...(manager.before ? [[program, ...manager.before]] : []), command]
  for (const step of steps) {
    const [file, ...args] = guarded(step)
    say(`${[...sudo.map(() => 'sudo'), manager.program, ...step.slice(1)].join(' ')}`)
    if (!run(file, args) && step === command)
      stop(`${manager.program} failed (see above)`, 'install the packages by hand, or start a Docker engine, and run this again')
  }
  // Kept from starting now, they must not start with the machine either.
  if (manager.startsServices && which('update-rc.d')) {
    for (const service of wanted.map(name => name.replace(/-light$/, '')))
      spawnSync([...sudo, which('update-rc.d')][0], [...[...sudo, which('update-rc.d')].slice(1), service, 'disable'], {stdio: 'ignore'})
  }
  const still = missingProxies().filter(name => names.includes(name))
  if (still.length > 0)
    stop(`${still.join(', ')} still cannot be found after the installation`, 'put the binary on the PATH and run this again')
}

function ensureProxies() {
  const missing = missingProxies()
  if (missing.length === 0) return
  const contained = inDocker(missing)
  const rest = missing.filter(name => !contained.includes(name))
  if (rest.length > 0) install(rest)
}

checkNode()
ensureDependencies()
ensureBuild()
if (!process.argv.includes('--no-proxies')) ensureProxies()
