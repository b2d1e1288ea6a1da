/** The element of the page with that id. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller knows what the page holds
export function byId<E extends HTMLElement = HTMLElement>(id: string): E {
  const found = document.getElementById(id)
  if (!found) throw new Error(`the page has no #${id}`)
  return found as E
}

interface Properties {
  class?: string
  text?: string
  /** Called on a click. */
  click?: () => void
  title?: string
  href?: string
  /** Names an item of a list that is filled anew. */
  key?: string
}

/** Makes an element; what it says is text, never markup. */
export function make(
  tag: string,
  {class: name, text, click, title, href, key}: Properties = {},
  children: readonly Node[] = [],
): HTMLElement {
  const element = document.createElement(tag)
  if (name !== undefined) element.className = name
  if (text !== undefined) element.textContent = text
  if (title !== undefined) element.title = title
  if (href !== undefined) element.setAttribute('href', href)
  if (key !== undefined) element.dataset['key'] = key
  if (tag === 'button') element.setAttribute('type', 'button')
  if (click) element.addEventListener('click', click)
  element.append(...children)
  return element
}

/** Appends to a list that follows its end, unless the reader has scrolled up. */
export function append(list: HTMLElement, element: HTMLElement, most: number): void {
  const follows = list.scrollHeight - list.scrollTop - list.clientHeight < 40
  list.append(element)
  while (list.childElementCount > most) list.firstElementChild?.remove()
  if (follows) list.scrollTop = list.scrollHeight
}

const filled = new WeakMap<HTMLElement, string>()

/**
 * Replaces what a list holds, only when it would look different. Items with a `data-key` that were unfolded stay so, and the focus goes to what
 * stands in the place of what had it.
 */
export function fill(list: HTMLElement, key: unknown, items: () => readonly HTMLElement[]): void {
  const now = JSON.stringify(key)
  if (filled.get(list) === now) return
  filled.set(list, now)
  const unfolded = new Set([...list.querySelectorAll('details[open]')].map(keyOf))
  const focus = placeOf(list, document.activeElement)
  list.replaceChildren(...items())
  for (const details of list.querySelectorAll('details')) details.open = unfolded.has(keyOf(details))
  const item = focus && [...list.children].find(child => keyOf(child) === focus.key)
  const targets = item ? [...item.querySelectorAll<HTMLElement>(FOCUSABLE)] : []
  ;(targets[focus?.index ?? 0] ?? targets.at(-1))?.focus({preventScroll: true})
}

const FOCUSABLE = 'a, button, summary'

/** Name of the item that an element is or lies in. */
function keyOf(element: Element): string | undefined {
  return element.closest<HTMLElement>('[data-key]')?.dataset['key']
}

/** Which of the things in a list has the focus. */
function placeOf(list: HTMLElement, focused: Element | null): {key: string; index: number} | undefined {
  const key = focused && list.contains(focused) ? keyOf(focused) : undefined
  const item = key === undefined ? undefined : focused?.closest('[data-key]')
  return key === undefined || !item || !focused ? undefined : {key, index: [...item.querySelectorAll(FOCUSABLE)].indexOf(focused)}
}

/** Fills a `<select>` and keeps the choice where it still exists. */
export function choose(select: HTMLSelectElement, options: readonly (readonly [value: string, label: string])[]): void {
  const chosen = select.value
  fill(select, options, () =>
    options.map(([value, label]) => {
      const option = make('option', {text: label}) as HTMLOptionElement
      option.value = value
      return option
    }),
  )
  if (options.some(([value]) => value === chosen)) select.value = chosen
}

/** A field of a form, trimmed. */
export function field(form: HTMLFormElement, name: string): string {
  const value = new FormData(form).get(name)
  return typeof value === 'string' ? value.trim() : ''
}

/** Runs `work` when the form is sent, in place of the browser's own sending. */
export function onSubmit(form: HTMLFormElement, work: () => void): void {
  form.addEventListener('submit', event => {
    event.preventDefault()
    work()
  })
}

/** `14:03:22.104` */
export function clock(at: number): string {
  const date = new Date(at)
  return `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, '0')}`
}
