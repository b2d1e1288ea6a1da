import {expect, it} from 'vitest'
import {sameWith} from './text-fix.ts'

it.each([
  ['gms-proxy diagnose mine.conf --only upgrade --timing compressed', 'gms-proxy fix mine.conf --only upgrade --timing compressed'],
  [
    "gms-proxy fix --write mine.conf --report 'html=a b.html' --format json --proxy-version 1.22",
    'gms-proxy fix mine.conf --proxy-version 1.22',
  ],
  ['gms-proxy fix mine.conf --format=json', 'gms-proxy fix mine.conf'],
  ['', "gms-proxy fix 'my site.conf'"],
])('what comes next keeps the flags of %j', (reproduce, next) => {
  expect(sameWith('fix', reproduce, 'my site.conf')).toBe(next)
})
