import type {ChatEvent} from '../../wire/chat-messages.ts'
import type {DeskState, NodeAction, NodeState} from '../protocol.ts'
import {call, follow} from './control.ts'
import {Customer} from './customer.ts'
import {append, byId, choose, field, fill, make, onSubmit} from './dom.ts'
import {setUpFaults, showFaults} from './faults.ts'
import {OPERATIONS, requestOf, userDataOf} from './operations.ts'
import {showClient, showGms} from './wire.ts'

const MOST_EVENTS = 500
let channel = '/service/chatV2/customer-support'

const start = byId<HTMLFormElement>('start')
const composer = byId<HTMLFormElement>('composer')
const operation = byId<HTMLFormElement>('operation')
const upload = byId<HTMLFormElement>('upload')
const agent = byId<HTMLFormElement>('agent')
const transcript = byId('transcript')

const customer = new Customer(() => channel, {
  onMessage: showClient,
  onEvent: showEvent,
  onNote: (text, bad) => note(text, bad),
  onChange: showCustomer,
})

function note(text: string, bad = false): void {
  append(transcript, make('li', {class: bad ? 'event bad' : 'event', text}), MOST_EVENTS)
}

function trouble(text: string | undefined): void {
  byId('trouble').hidden = text === undefined
  byId('trouble').textContent = text ?? ''
}

/** Runs a control call; what goes wrong is told until the next one goes well. */
function attempt(work: () => Promise<void>): void {
  work().then(
    () => trouble(undefined),
    (error: unknown) => trouble(error instanceof Error ? error.message : String(error)),
  )
}

function showEvent({type, from, text, userData, index, utcTime}: ChatEvent): void {
  if (type === 'Message') {
    const own = from.type === 'Client'
    const line = make('small', {text: `${from.nickname} · ${new Date(utcTime).toTimeString().slice(0, 8)} · ${index}`})
    append(transcript, make('li', {class: own ? 'bubble own' : 'bubble'}, [document.createTextNode(text ?? ''), line]), MOST_EVENTS)
    return
  }
  note(`${from.nickname}: ${type}${text === undefined ? '' : ` ${text}`}`)
  if (type === 'FileUploaded' && userData) showFile(userData['file-id'] ?? '', userData['file-name'] ?? 'file')
  if (type === 'FileDeleted' && userData) document.getElementById(`file-${userData['file-id'] ?? ''}`)?.remove()
}

function showFile(id: string, name: string): void {
  const item = make('li', {class: 'item'}, [
    make('span', {text: name}),
    make('button', {text: 'Download', click: () => attempt(() => download(id, name))}),
    make('button', {text: 'Delete', click: () => attempt(() => fileOperation({operation: 'fileDelete', fileId: id}))}),
  ])
  item.id = `file-${id}`
  byId('filelist').append(item)
}

async function download(id: string, name: string): Promise<void> {
  const response = await customer.files({operation: 'fileDownload', fileId: id})
  byId('fileresult').textContent = `fileDownload → ${response.status}`
  if (!response.ok) return
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await response.blob())
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}

async function fileOperation(fields: {operation: string} & Record<string, string | File>): Promise<void> {
  const response = await customer.files(fields)
  byId('fileresult').textContent = `${fields.operation} → ${response.status} ${await response.text()}`
}

function showCustomer(): void {
  const {busy, chatting, status, transport} = customer
  byId('session').textContent =
    busy || status !== 'disconnected' ? `${status}${transport === '' ? '' : ` · ${transport}`}` : 'not connected'
  byId('open').hidden = busy
  byId('leave').hidden = !busy
  for (const form of [composer, operation, upload])
    for (const element of form.elements)
      if (/^(message)?$/.test((element as HTMLInputElement).name)) (element as HTMLInputElement).disabled = !chatting
}

function showNodes({nodes}: DeskState): void {
  const order = (name: string, action: NodeAction) => () => attempt(() => call('POST', `nodes/${name}`, {action}))
  const button = (node: NodeState, text: string, action: NodeAction, title: string): HTMLElement =>
    make('button', {text, title, click: order(node.name, action)})
  const here = nodes.find(({port}) => String(port) === location.port)
  byId('where').textContent = here ? `this page chats with ${here.name}, ${location.host}` : `this page chats with ${location.host}`
  fill(byId('nodes'), nodes, () =>
    nodes.map(node => {
      const state = !node.running ? 'stopped' : node.status === 'OFFLINE' ? 'offline' : 'online'
      const url = `${location.protocol}//${location.hostname}:${node.port}/`
      return make('li', {class: `node ${state}${node === here ? ' here' : ''}`, key: node.name}, [
        make('a', {text: node.name, href: url, title: `The page of ${node.name}, port ${node.port}`}),
        make('span', {class: 'quiet', text: node.running ? `${state}, ${node.sessions} session${node.sessions === 1 ? '' : 's'}` : state}),
        ...(node.running
          ? [
              button(node, 'Stop', 'stop', 'Cuts every connection and forgets every session'),
              node.status === 'OFFLINE'
                ? button(node, 'Online', 'online', 'The health endpoint says ONLINE')
                : button(node, 'Drain', 'offline', 'The health endpoint says OFFLINE; who comes is served'),
              button(node, 'Sweep', 'sweep', 'Forgets the sessions: the next message is answered 402'),
            ]
          : [button(node, 'Start', 'start', 'Listens again on the same port, knowing nobody')]),
      ])
    }),
  )
}

function showState(state: DeskState): void {
  channel = state.channel
  showNodes(state)
  showFaults(state, attempt)
  const {chats, pushed, warnings} = state
  const open = chats.filter(({ended}) => !ended)
  choose(agent.elements.namedItem('chat') as HTMLSelectElement, [
    ['', 'every open chat'],
    ...open.map(({number, nickname}) => [String(number), `chat ${number}, ${nickname}`] as const),
  ])
  fill(byId('chats'), chats, () =>
    [...chats].reverse().map(chat => {
      const left = chat.events - chat.transcript.length
      const lines = chat.transcript.map(
        ({index, type, from, text}) => `${index} ${from.nickname} ${type}${text === undefined ? '' : ` ${text}`}`,
      )
      const where = chat.ended ? 'ended' : chat.nodes.length > 0 ? `on ${chat.nodes.join(', ')}` : 'nobody listens'
      return make('li', {key: String(chat.number)}, [
        make('details', {}, [
          make('summary', {text: `chat ${chat.number}, ${chat.nickname}: ${where}, ${chat.events} events`}),
          make('pre', {class: 'quiet', text: (left > 0 ? [`(${left} before)`, ...lines] : lines).join('\n')}),
        ]),
      ])
    }),
  )
  fill(byId('pushed'), pushed, () =>
    [...pushed]
      .reverse()
      .slice(0, 50)
      .map(({type, deviceId, title, body}) => make('li', {text: `${type} to ${deviceId}: ${title} · ${body}`})),
  )
  fill(byId('warnings'), warnings, () =>
    [...warnings]
      .reverse()
      .slice(0, 50)
      .map(({node, what}) => make('li', {text: `${node}: ${what}`})),
  )
}

function showParameters(): void {
  const name = field(operation, 'operation')
  byId('parameters').replaceChildren(
    ...Object.entries(OPERATIONS[name] ?? {}).map(([parameter, offer]) => {
      const input = document.createElement('input')
      input.name = `parameter-${parameter}`
      input.value = parameter === 'transcriptPosition' && name === 'readReceipt' ? String(customer.position) : offer
      input.autocomplete = 'off'
      return make('label', {class: 'wide', text: `${parameter} `}, [input])
    }),
  )
}

choose(
  operation.elements.namedItem('operation') as HTMLSelectElement,
  Object.keys(OPERATIONS).map(name => [name, name]),
)
;(operation.elements.namedItem('operation') as HTMLSelectElement).value = 'pushUrl'
operation.addEventListener('change', event => {
  if ((event.target as HTMLElement).matches('select')) showParameters()
})
showParameters()
setUpFaults(attempt)
showCustomer()

onSubmit(start, () => {
  if (customer.busy) return
  transcript.replaceChildren()
  byId('filelist').replaceChildren()
  const get = (name: string): string => field(start, name)
  const userData = {
    ...userDataOf(get('userData')),
    ...(get('device') !== '' && {push_notification_deviceid: get('device'), push_notification_type: get('push')}),
  }
  customer.start({
    transport: get('transport'),
    style: get('style') === 'addListener' ? 'addListener' : 'subscribe',
    request: {
      operation: 'requestChat',
      nickname: get('nickname'),
      ...(get('subject') !== '' && {subject: get('subject')}),
      ...(Object.keys(userData).length > 0 && {userData}),
      ...(get('username') !== '' && {auth: {username: get('username'), password: get('password')}}),
    },
  })
})
byId('leave').addEventListener('click', () => customer.leave())

onSubmit(composer, () => {
  const input = byId<HTMLInputElement>('message')
  if (input.value.trim() === '') return
  customer.say(input.value)
  input.value = ''
})
byId('message').addEventListener('input', event => customer.types((event.target as HTMLInputElement).value))

onSubmit(operation, () => {
  const name = field(operation, 'operation')
  const typed = new Map(Object.keys(OPERATIONS[name] ?? {}).map(parameter => [parameter, field(operation, `parameter-${parameter}`)]))
  customer.publish(requestOf(name, typed))
})

onSubmit(upload, () => {
  const file = new FormData(upload).get('file')
  if (!(file instanceof File)) return
  const description = field(upload, 'description')
  attempt(() => fileOperation({operation: 'fileUpload', ...(description !== '' && {'userData[file-description]': description}), file}))
})
byId('limits').addEventListener('click', () => attempt(() => fileOperation({operation: 'fileGetLimits'})))

const chatOfAgent = (): {chat?: number} => {
  const chat = field(agent, 'chat')
  return chat === '' ? {} : {chat: Number(chat)}
}
onSubmit(agent, () => {
  const input = agent.elements.namedItem('says') as HTMLInputElement
  const says = input.value
  input.value = ''
  attempt(() => call('POST', 'agent', {...chatOfAgent(), says}))
})
byId('types').addEventListener('click', () => attempt(() => call('POST', 'agent', {...chatOfAgent(), types: true})))
byId('agentfile').addEventListener('change', event => {
  const input = event.target as HTMLInputElement
  const [file] = input.files ?? []
  if (file)
    attempt(async () => {
      await call('POST', 'agent', {
        ...chatOfAgent(),
        file: {name: file.name, mimeType: file.type || 'application/octet-stream', base64: await base64Of(file)},
      })
      input.value = ''
    })
})

function base64Of(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ''))
    reader.onerror = () => reject(new Error(`${file.name} cannot be read`))
    reader.readAsDataURL(file)
  })
}

/** Lines of earlier sessions are told again when the feed comes back. */
let last = 0
void follow(
  event => {
    if (event.type === 'state') showState(event.state)
    else if (event.line.n > last) {
      last = event.line.n
      showGms(event.line)
    }
  },
  there =>
    trouble(
      there
        ? undefined
        : 'The simulator cannot be controlled from here: it has gone, or this page is not open as 127.0.0.1 or localhost on its own machine.',
    ),
)
