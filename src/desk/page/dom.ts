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
}

/** Makes an element; what it says is text, never markup. */
export function make(tag: string, {class: name, text, click, title, href}: Properties = {}, children: readonly Node[] = []): HTMLElement {
  const element = document.createElement(tag)
  if (name !== undefined) element.className = name
  if (text !== undefined) element.textContent = text
  if (title !== undefined) element.title = title
  if (href !== undefined) element.setAttribute('href', href)
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

/** Replaces what a list holds, only when it would look different: focus and scroll position stay otherwise. */
export function fill(list: HTMLElement, key: unknown, items: () => readonly HTMLElement[]): void {
  const now = JSON.stringify(key)
  if (list.dataset['key'] === now) return
  list.dataset['key'] = now
  list.replaceChildren(...items())
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
