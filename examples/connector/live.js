// Keeps a page up to date: it gets the page again and again, and puts in what has
// changed, part by part. What has the keyboard's focus keeps it.
"use strict"

const every = 1500 // milliseconds
const justChanged = 1000
const changedAt = new WeakMap()

const byName = (root, name) => [...root.querySelectorAll("[data-part]")].find(part => part.dataset.part === name)

// A form that changed under a person's finger is not the one that they meant to
// submit.
document.addEventListener("submit", event => {
	const part = event.target.closest("[data-part]")
	if (part && Date.now() - (changedAt.get(part) ?? 0) < justChanged) event.preventDefault()
})

function update(fresh) {
	for (const part of document.querySelectorAll("[data-part]")) {
		const next = byName(fresh, part.dataset.part)
		if (!next) continue
		if (next.dataset.mark === part.dataset.mark) {
			renew(part, next)
		} else {
			replace(part, next)
		}
	}
	document.title = fresh.title
	document.body.dataset.live = fresh.body.dataset.live ?? ""
}

// The form is as the person sees it, but its nonce gets old.
function renew(part, next) {
	const before = part.querySelectorAll("input[name=nonce]")
	const after = next.querySelectorAll("input[name=nonce]")
	before.forEach((input, i) => { if (after[i]) input.value = after[i].value })
}

function replace(part, next) {
	const focused = part.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined
	part.replaceChildren(...next.childNodes)
	part.className = next.className
	part.dataset.mark = next.dataset.mark
	changedAt.set(part, Date.now())
	if (focused === undefined) return
	const targets = [...part.querySelectorAll("[data-focus]")]
	const target = targets.find(t => t.dataset.focus === focused && !t.disabled) ?? targets.find(t => !t.disabled)
	const heading = document.querySelector("h1") // the part has nothing left to focus
	;(target ?? heading).focus({preventScroll: true})
}

async function look() {
	const stale = document.getElementById("stale")
	try {
		const response = await fetch(document.body.dataset.live, {cache: "no-store"})
		if (!response.ok) throw new Error(response.status)
		update(new DOMParser().parseFromString(await response.text(), "text/html"))
		stale.hidden = true
	} catch {
		stale.hidden = false
	}
}

async function run() {
	for (;;) {
		await new Promise(resolve => setTimeout(resolve, every))
		if (!document.hidden && document.body.dataset.live) await look()
	}
}

run()
