// Autosave: what is typed is on the server within two seconds, and on this machine at once.
//
// One request in flight; typing meanwhile waits for its answer. A typed cell is forgotten here only when the
// server has answered for exactly that text. `base` is the text the person saw before typing: the server
// refuses to overwrite a colleague's other value and answers it as a conflict.

const QUIET = 600; // ms after the last key
const LONGEST = 1300; // ms after the first unsaved key, however long the typing goes on
const PATIENCE = 15000; // ms for an answer
const MOST_CELLS = 200;

const WORDS = {
  offline: "未保存（网络中断，已存在本机）",
  server: "未保存（服务器没有应答，已存在本机）",
  login: "登录已过期，未保存（已存在本机）",
  stopped: "未保存（已存在本机）",
  unstorable: "未保存（本机无法暂存，请不要关闭页面）",
};

// The token of now: logging in again in another tab has replaced the one this page came with.
export function csrfToken() {
  const found = /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie);
  return found ? decodeURIComponent(found[1]) : "";
}

// {status, answer}; status 0 when nothing came back.
export async function post(url, body) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), PATIENCE);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
      body: JSON.stringify(body),
      credentials: "same-origin",
      signal: abort.signal,
    });
    const answer = await response.json().catch(() => null);
    return { status: response.status, answer };
  } catch {
    return { status: 0, answer: null };
  } finally {
    clearTimeout(timer);
  }
}

// What this machine keeps: one entry per person, filing and form. Two tabs share it, so every change
// reads what stands there before it writes.
class Shelf {
  constructor(key) {
    this.key = key;
    this.works = true;
  }

  all() {
    try {
      return JSON.parse(localStorage.getItem(this.key)) ?? {};
    } catch {
      return {};
    }
  }

  change(edit) {
    try {
      const kept = this.all();
      edit(kept);
      if (Object.keys(kept).length) localStorage.setItem(this.key, JSON.stringify(kept));
      else localStorage.removeItem(this.key);
      this.works = true;
    } catch {
      this.works = false;
    }
  }
}

export class Saver {
  // on: {status(text, kind), answer(answer, sent), head(answer), trouble(kind, answer)}
  constructor(state, isComputed, known, on) {
    Object.assign(this, { state, isComputed, known, on });
    const key = `songwennuan:${state.person}:${state.filing}`;
    this.shelf = new Shelf(`${key}:${state.slug}`);
    this.headShelf = new Shelf(`${key}:head`);
    this.typed = new Map(); // code → {value, base}
    this.head = new Map(); // name → value
    this.waiting = new Set(); // codes in conflict: sent again only after the person has chosen
    this.trouble = "";
    this.failures = 0;
    this.savedAt = state.savedAt;
    this.inFlight = null;
    window.addEventListener("online", () => this.now());
    window.addEventListener("offline", () => this.fail("offline"));
    window.addEventListener("focus", () => this.trouble && this.now());
    document.addEventListener("visibilitychange", () => !document.hidden && this.trouble && this.now());
    window.addEventListener("beforeunload", (event) => {
      if (this.hasUnsaved() && !(this.shelf.works && this.headShelf.works)) {
        event.preventDefault();
        event.returnValue = "";
      }
    });
    this.tell();
  }

  hasUnsaved() {
    return this.typed.size > 0 || this.head.size > 0;
  }

  type(code, value) {
    const before = this.typed.get(code);
    const base = before ? before.base : this.known.get(code);
    this.typed.set(code, { value, base });
    this.shelf.change((kept) => (kept[code] = { value, base }));
    this.schedule();
  }

  // The person took back what was typed; if it is on its way to the server, the old text follows it.
  untype(code) {
    if (this.inFlight && this.inFlight.has(code)) return this.type(code, this.typed.get(code).base);
    this.forget(code);
    this.tell();
  }

  forget(code, value) {
    this.typed.delete(code);
    this.waiting.delete(code);
    this.shelf.change((kept) => {
      if (value === undefined || (kept[code] && kept[code].value === value)) delete kept[code];
    });
  }

  typeHead(name, value) {
    this.head.set(name, value);
    this.headShelf.change((kept) => (kept[name] = value));
    this.schedule();
  }

  // In conflict: `mine` goes over what now stands on the server, or is given up.
  choose(code, theirs, mine) {
    this.waiting.delete(code);
    if (mine === null) {
      this.forget(code);
      this.known.set(code, theirs);
      return this.tell();
    }
    this.typed.set(code, { value: mine, base: theirs });
    this.shelf.change((kept) => (kept[code] = { value: mine, base: theirs }));
    this.now();
  }

  schedule() {
    this.firstTyped ??= Date.now();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.now(), Math.min(QUIET, Math.max(0, this.firstTyped + LONGEST - Date.now())));
    this.tell();
  }

  batch() {
    const ready = [...this.typed].filter(([code]) => !this.waiting.has(code)).slice(0, MOST_CELLS);
    return new Map(ready);
  }

  async now() {
    clearTimeout(this.timer);
    if (this.inFlight || this.trouble === "stopped") return;
    const batch = this.batch();
    if (!batch.size && !this.head.size) {
      this.firstTyped = undefined;
      if (this.trouble) this.clear();
      return this.tell();
    }
    this.firstTyped = undefined;
    this.inFlight = batch;
    this.tell();
    const went = batch.size ? await this.sendCells(batch) : await this.sendHead();
    this.inFlight = null;
    if (went && (this.batch().size || this.head.size)) this.schedule();
    this.tell();
  }

  async sendCells(batch) {
    const cells = [...batch].map(([code, { value, base }]) => ({
      code,
      value,
      // What the machine computed is nobody's typing: no conflict with that.
      base: this.isComputed(code) ? this.known.get(code) : base,
    }));
    const { status, answer } = await post(this.state.urls.cells, { person: this.state.person, cells });
    if (status !== 200 || !answer) return this.judge(status, answer);
    this.clear();
    this.savedAt = answer.at;
    const conflicts = new Set(answer.conflicts.map((conflict) => conflict.code));
    for (const [code, text] of Object.entries(answer.cells)) {
      this.known.set(code, text);
      const typed = this.typed.get(code);
      if (typed) typed.base = text;
    }
    for (const [code, sent] of batch) {
      if (conflicts.has(code)) this.waiting.add(code);
      else if (this.typed.get(code)?.value === sent.value) this.forget(code, sent.value);
    }
    this.on.answer(answer, batch);
    return true;
  }

  async sendHead() {
    const sent = new Map(this.head);
    const body = { person: this.state.person, ...Object.fromEntries(sent) };
    const { status, answer } = await post(this.state.urls.head, body);
    if (status !== 200 && status !== 422) return this.judge(status, answer);
    this.clear();
    // A refused head stays on the page with its sentence; sending the same again would not help.
    for (const [name, value] of sent) {
      if (this.head.get(name) !== value) continue;
      this.head.delete(name);
      if (status === 200) this.headShelf.change((kept) => delete kept[name]);
    }
    if (status === 200) this.savedAt = answer.at;
    this.on.head(status === 200 ? "" : answer.error);
    return true;
  }

  judge(status, answer) {
    if (status === 401) this.fail("login", answer);
    else if (status === 0) this.fail("offline");
    else if (status >= 500 || status === 429) this.fail("server");
    // The rest won't be mended by sending the same again: the page says why, the machine keeps the values.
    else this.fail("stopped", answer);
    return false;
  }

  fail(kind, answer = null) {
    if (kind === "offline" && !this.hasUnsaved()) return this.tell();
    this.trouble = kind;
    if (kind === "offline" || kind === "server") {
      const wait = Math.min(30000, 1000 * 2 ** this.failures++);
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.now(), wait);
    }
    this.on.trouble(kind, answer);
    this.tell();
  }

  clear() {
    this.failures = 0;
    if (!this.trouble) return;
    this.trouble = "";
    this.on.trouble("", null);
  }

  tell() {
    if (!this.hasUnsaved()) {
      return this.on.status(this.savedAt ? `已保存 ${this.savedAt}` : "", "saved");
    }
    if (!this.shelf.works || !this.headShelf.works) return this.on.status(WORDS.unstorable, "trouble");
    if (this.trouble) return this.on.status(WORDS[this.trouble], "trouble");
    if (this.waiting.size && !this.batch().size && !this.head.size) {
      return this.on.status(`${this.waiting.size} 格与他人所填不一致，请选择`, "trouble");
    }
    return this.on.status("正在保存…", "saving");
  }

  // Until everything typed is on the server: true; false when that can't be now.
  async settled() {
    for (let tries = 0; tries < 100; tries++) {
      if (!this.hasUnsaved()) return true;
      if (this.trouble || (this.waiting.size && !this.batch().size && !this.head.size)) return false;
      if (!this.inFlight) await this.now();
      else await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return false;
  }
}
