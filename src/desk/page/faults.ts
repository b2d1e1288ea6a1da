import {FAULT_KINDS, FAULT_SCENES, type ActiveFault, type Fault, type FaultRule, type FaultScene} from '../../simulator/faults.ts'
import {BAYEUX_TRANSPORTS, type BayeuxTransport} from '../../wire/bayeux.ts'
import type {DeskState} from '../protocol.ts'
import {call} from './control.ts'
import {byId, choose, field, fill, make, onSubmit} from './dom.ts'

/** The kinds that take a number: what it counts, and what is offered. */
const AMOUNTS: Partial<Record<Fault['kind'], {unit: string; offer: string}>> = {
  delay: {unit: 'ms', offer: '2000'},
  status: {unit: 'Status', offer: '503'},
  'slow-body': {unit: 'Bytes per s', offer: '100'},
}

const form = byId<HTMLFormElement>('fault')
const select = (name: string): HTMLSelectElement => form.elements.namedItem(name) as HTMLSelectElement
const amount = form.elements.namedItem('amount') as HTMLInputElement

/** Makes the form work; `attempt` runs a control call and says what went wrong. */
export function setUpFaults(attempt: (work: () => Promise<void>) => void): void {
  choose(
    select('kind'),
    FAULT_KINDS.map(kind => [kind, kind]),
  )
  choose(select('on'), [['', 'everything'], ...FAULT_SCENES.map(scene => [scene, scene] as const)])
  choose(select('transport'), [['', 'any'], ...BAYEUX_TRANSPORTS.map(transport => [transport, transport] as const)])
  const suit = (): void => {
    const known = AMOUNTS[select('kind').value as Fault['kind']]
    byId('amount').hidden = known === undefined
    byId('amount').firstChild?.replaceWith(`${known?.unit ?? ''} `)
    amount.value = known?.offer ?? ''
  }
  select('kind').addEventListener('change', suit)
  suit()
  onSubmit(form, () => attempt(() => call('POST', 'faults', ruleOf())))
  byId('nofaults').addEventListener('click', () => attempt(() => call('DELETE', 'faults')))
}

/** Shows what is switched on. */
export function showFaults({faults, nodes}: DeskState, attempt: (work: () => Promise<void>) => void): void {
  choose(select('node'), [['', 'any'], ...nodes.map(({name}) => [name, name] as const)])
  byId('nofaults').hidden = faults.length === 0
  fill(byId('faultlist'), faults, () =>
    faults.map(fault =>
      make('li', {class: 'item bad', key: fault.id}, [
        make('span', {text: `${wordsOf(fault)} · struck ${fault.struck}×`}),
        make('button', {text: 'Off', click: () => attempt(() => call('DELETE', `faults/${fault.id}`))}),
      ]),
    ),
  )
}

function ruleOf(): FaultRule {
  const kind = field(form, 'kind') as Fault['kind']
  const number = Number(field(form, 'amount'))
  const [on, transport, node, times] = ['on', 'transport', 'node', 'times'].map(name => field(form, name))
  return {
    fault: faultOf(kind, number),
    ...(on && {on: [on as FaultScene]}),
    ...(transport && {transports: [transport as BayeuxTransport]}),
    ...(node && {nodes: [node]}),
    ...(times && {times: Number(times)}),
  }
}

function faultOf(kind: Fault['kind'], number: number): Fault {
  switch (kind) {
    case 'delay':
      return {kind, ms: number}
    case 'status':
      return {kind, status: number}
    case 'slow-body':
      return {kind, bytesPerSecond: number}
    default:
      return {kind}
  }
}

function wordsOf({fault, on, transports, nodes, probe, times}: ActiveFault): string {
  const number =
    'ms' in fault
      ? ` ${fault.ms} ms`
      : 'status' in fault
        ? ` ${fault.status}`
        : 'bytesPerSecond' in fault
          ? ` ${fault.bytesPerSecond} B/s`
          : ''
  return [
    `${fault.kind}${number}`,
    on && `on ${on.join(', ')}`,
    transports && `over ${transports.join(', ')}`,
    nodes && `at ${nodes.join(', ')}`,
    probe !== undefined && `of probe ${probe}`,
    times !== undefined && `${times} times`,
  ]
    .filter(Boolean)
    .join(' ')
}
