import {expect, test} from 'vitest'
import {verdictOf} from './report.ts'

const passed = {status: 'passed'} as const
const skipped = {status: 'skipped'} as const
const notPromised = {status: 'skipped', notPromised: true} as const

test.each([
  {parts: [passed], verdict: 'passed'},
  {parts: [passed, notPromised], verdict: 'passed'},
  {parts: [passed, notPromised, skipped], verdict: 'partial'},
  {parts: [notPromised], verdict: 'partial'},
  {parts: [passed, {status: 'failed'} as const, skipped], verdict: 'failed'},
  {parts: [{status: 'errored'} as const, {status: 'failed'} as const], verdict: 'errored'},
  {parts: [{verdict: 'passed'} as const, {verdict: 'partial'} as const], verdict: 'partial'},
  {parts: [{verdict: 'passed'} as const], verdict: 'passed'},
  {parts: [], verdict: 'errored'},
])('$parts: $verdict', ({parts, verdict}) => {
  expect(verdictOf(parts)).toBe(verdict)
})
