import fc from 'fast-check'

// One seed for every run: what fails, fails again. Another one is tried with GMS_PROXY_SEED=random or a number.
const asked = process.env['GMS_PROXY_SEED'] ?? '20261122'
if (asked !== 'random') fc.configureGlobal({seed: Number(asked)})
