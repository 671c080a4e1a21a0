// What people do on a page, sent to the shop: <script src="https://shop/collect.js" data-key="src_…" async></script>, then
// tandem.track('Product Viewed', { sku: 'TEAPOT' }), tandem.identify('user-1', { plan: 'gold' }), tandem.page(), tandem.reset().
(() => {
  const script = document.currentScript
  const key = script && script.dataset.key
  if (!key) return
  const to = new URL('v1/b', script.src).href
  const kept = name => { try { return localStorage.getItem('tandem_' + name) } catch { return null } }
  const keep = (name, value) => { try { value ? localStorage.setItem('tandem_' + name, value) : localStorage.removeItem('tandem_' + name) } catch { /* a private window keeps nothing */ } }
  const fresh = () => crypto.randomUUID ? crypto.randomUUID() : [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('')
  let browser = kept('browser')
  let user = kept('user')
  let waiting = []
  const named = () => { if (!browser) keep('browser', browser = fresh()) }
  const send = () => {
    if (!waiting.length) return
    const body = JSON.stringify({ writeKey: key, sentAt: new Date(), batch: waiting.splice(0, 50) })
    if (!(navigator.sendBeacon && navigator.sendBeacon(to, body))) fetch(to, { method: 'POST', body, keepalive: true }).catch(() => {})
    send()
  }
  const tell = event => {
    named()
    const { href, pathname, search } = location
    const context = { page: { url: href, path: pathname, search, title: document.title, referrer: document.referrer }, locale: navigator.language }
    waiting.push({ messageId: fresh(), timestamp: new Date(), anonymousId: browser, userId: user, context, ...event })
    if (waiting.length === 1) setTimeout(send, 500)
  }
  addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && send())
  addEventListener('pagehide', send)
  window.tandem = {
    track: (event, properties) => tell({ type: 'track', event, properties }),
    page: (name = document.title, properties) => tell({ type: 'page', name, properties }),
    identify: (id, traits) => { keep('user', user = String(id)); tell({ type: 'identify', traits }) },
    reset: () => { send(); keep('user', user = null); keep('browser', browser = null) }
  }
  if (script.dataset.page !== 'no') window.tandem.page()
})()
