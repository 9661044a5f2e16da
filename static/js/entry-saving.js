// Autosave: what is typed is on the server within two seconds, and on this machine at once.
//
// A Saver takes care of one part of a filing: the cells of one form, or the head. One request in flight; typing
// meanwhile waits for its answer. What is typed is forgotten here only when the server has answered for exactly
// that text. `base` is the text the person saw before typing: the server refuses to overwrite a colleague's
// other value and answers it as a conflict. `sent` are the texts that went out and may have arrived although no
// answer came back: with oneself there is no conflict.

import { csrfToken } from "./csrf.js";
import { shelfOf } from "./entry-shelf.js";

export { csrfToken };

const QUIET = 600; // ms after the last key
const LONGEST = 1300; // ms after the first unsaved key, however long the typing goes on
const PATIENCE = 15000; // ms for an answer
const LONG_ENOUGH = 10000; // ms to wait until everything typed is on the server
const MOST_CELLS = 200;
// A browser lets 64 KB go out behind a closing page, all requests together; the server takes 64 KB at once.
const MOST_BYTES = 20000;
// Nobody behind these looked at what was sent: sending it in smaller pieces would not help.
const NOT_NOW = [429, 502, 503, 504];
const NOT_AT_ALL = [401, 403, 404, 409];

const WORDS = {
  offline: "未保存（网络中断，已存在本机）",
  server: "未保存（服务器没有应答，已存在本机）",
  login: "登录已过期，未保存（已存在本机）",
  stopped: "未保存（已存在本机）",
  unstorable: "未保存（本机无法暂存，请不要关闭页面）",
};

const bytes = (text) => new TextEncoder().encode(text).length;

// {status, answer}; status 0 when nothing came back.
export async function post(url, body) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), PATIENCE);
  const text = JSON.stringify(body);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
      body: text,
      credentials: "same-origin",
      // Goes on its way although the page closes.
      keepalive: bytes(text) < 2 * MOST_BYTES,
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

export class Saver {
  // part: {slug, url, kind: "cells" | "fields"}; known: code → text last known from the server
  // on: {tell(), answer(answer, sent), trouble(kind, answer), isComputed(code)}
  constructor(state, part, known, on) {
    Object.assign(this, { state, part, known, on });
    this.shelf = shelfOf(state, part.slug);
    this.typed = new Map(); // code → {value, base, sent}
    this.waiting = new Set(); // codes in conflict: sent again only after the person has chosen
    this.refused = new Map(); // code → sentence: sent again only when typed anew
    this.later = new Set(); // refused codes that a failing server may take the next time
    this.pageOnly = new Set(); // codes whose text tells who a household is: never on the shelf again until it is taken
    this.alone = new Set(); // codes of a batch that failed: one of them may be the reason
    this.trouble = "";
    this.failures = 0;
    this.savedAt = "";
    this.inFlight = null;
    window.addEventListener("online", () => this.retry());
    window.addEventListener("offline", () => this.fail("offline"));
    window.addEventListener("focus", () => this.trouble && this.retry());
    window.addEventListener("pagehide", () => this.lastWord());
    document.addEventListener("visibilitychange", () => (document.hidden || this.trouble) && this.now());
    window.addEventListener("beforeunload", (event) => {
      if (this.typed.size && (!this.shelf.works || this.pageOnly.size)) {
        event.preventDefault();
        event.returnValue = "";
      }
    });
  }

  type(code, value) {
    const before = this.typed.get(code);
    this.keep(code, { value, base: before ? before.base : this.known.get(code), sent: before?.sent ?? [] });
    this.release(code);
    this.schedule();
  }

  keep(code, entry) {
    this.typed.set(code, entry);
    if (this.pageOnly.has(code)) this.shelf.change((kept) => delete kept[code]);
    else this.shelf.change((kept) => (kept[code] = entry));
  }

  release(code) {
    this.waiting.delete(code);
    this.refused.delete(code);
    this.later.delete(code);
  }

  // What the shelf holds from before is sent again.
  takeUp(code, { value, base, sent = [] }) {
    this.typed.set(code, { value, base, sent });
  }

  // The person took back what was typed; if it may have reached the server, the old text follows it.
  untype(code) {
    if (this.typed.get(code)?.sent.length) return this.type(code, this.known.get(code));
    this.forget(code);
    this.on.tell();
  }

  forget(code, value) {
    this.typed.delete(code);
    this.pageOnly.delete(code);
    this.release(code);
    this.shelf.change((kept) => {
      if (value === undefined || (kept[code] && kept[code].value === value)) delete kept[code];
    });
  }

  // In conflict: `mine` goes over what now stands on the server, or is given up.
  choose(code, theirs, mine) {
    this.release(code);
    if (mine === null) {
      this.forget(code);
      this.known.set(code, theirs);
      return this.on.tell();
    }
    this.keep(code, { value: mine, base: theirs, sent: [] });
    this.now();
  }

  schedule() {
    this.firstTyped ??= Date.now();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.now(), Math.min(QUIET, Math.max(0, this.firstTyped + LONGEST - Date.now())));
    this.on.tell();
  }

  isReady(code) {
    return !this.waiting.has(code) && !this.refused.has(code);
  }

  // What goes next: as much as fits; what was in a batch that failed goes one by one.
  batch() {
    const ready = [...this.typed].filter(([code]) => this.isReady(code));
    const together = ready.filter(([code]) => !this.alone.has(code));
    if (!together.length) return new Map(ready.slice(0, 1));
    let room = MOST_BYTES;
    const fits = ([code, entry]) => (room -= bytes(JSON.stringify([code, entry])) + 20) > 0;
    const size = together.slice(0, MOST_CELLS).findIndex((one) => !fits(one));
    return new Map(together.slice(0, size < 0 ? MOST_CELLS : Math.max(1, size)));
  }

  isBusy() {
    return this.inFlight !== null || this.batch().size > 0;
  }

  async now() {
    clearTimeout(this.timer);
    if (this.inFlight || this.trouble === "stopped") return;
    const batch = this.batch();
    this.firstTyped = undefined;
    if (!batch.size) {
      if (this.later.size) return this.fail("server");
      if (this.trouble) this.clear();
      return this.on.tell();
    }
    this.inFlight = batch;
    this.on.tell();
    const went = await this.send(batch);
    this.inFlight = null;
    if (went && this.batch().size) {
      if (this.alone.size) this.now();
      else this.schedule();
    } else if (went && this.later.size) this.fail("server");
    this.on.tell();
  }

  // Also with what a failing server did not take.
  retry() {
    this.later.forEach((code) => this.refused.delete(code));
    this.later.clear();
    this.now();
  }

  body(batch) {
    const entries = [...batch].map(([code, { value, base, sent }]) => {
      const entry = this.typed.get(code);
      if (entry) this.keep(code, { ...entry, sent: [...new Set([...entry.sent, value])].slice(-5) });
      // What the machine computed is nobody's typing: no conflict with that.
      return [code, { value, base: this.on.isComputed?.(code) ? this.known.get(code) : base, sent }];
    });
    const content = this.part.kind === "cells"
      ? entries.map(([code, entry]) => ({ code, ...entry }))
      : Object.fromEntries(entries);
    return { person: this.state.person, [this.part.kind]: content };
  }

  async send(batch) {
    const { status, answer } = await post(this.part.url, this.body(batch));
    if (status !== 200 || !answer) return this.judge(status, answer, batch);
    this.clear();
    this.savedAt = answer.at;
    const conflicts = new Set(answer.conflicts.map((conflict) => conflict.code));
    for (const [code, text] of Object.entries(answer[this.part.kind])) {
      this.known.set(code, text);
      const typed = this.typed.get(code);
      if (typed) this.keep(code, { ...typed, base: text, sent: [] });
    }
    for (const [code, sent] of batch) {
      this.alone.delete(code);
      if (this.typed.get(code)?.value !== sent.value) continue;
      if (conflicts.has(code)) this.waiting.add(code);
      else if (code in answer.refused) {
        if (answer.private?.includes(code)) this.pageOnly.add(code);
        this.keep(code, { ...this.typed.get(code), sent: [] });
        this.refused.set(code, answer.refused[code]);
      } else this.forget(code, sent.value);
    }
    this.on.answer(answer, batch);
    return true;
  }

  // → whether to go on with the rest
  judge(status, answer, batch) {
    if (status === 401) this.fail("login", answer);
    else if (status === 0) this.fail("offline");
    else if (NOT_NOW.includes(status)) this.fail("server");
    // These won't be mended by sending the same again: the page says why, the machine keeps the values.
    else if (NOT_AT_ALL.includes(status)) this.fail("stopped", answer);
    else {
      if (batch.size > 1) for (const code of batch.keys()) this.alone.add(code);
      else this.refuse([...batch][0], status, answer);
      return true;
    }
    return false;
  }

  refuse([code, sent], status, answer) {
    this.alone.delete(code);
    if (this.typed.get(code)?.value !== sent.value) return;
    const sentence = `服务器没有接受此项，未保存。${answer?.error ?? ""}`;
    this.refused.set(code, sentence);
    if (status >= 500) this.later.add(code);
    else this.keep(code, { ...this.typed.get(code), sent: [] });
    this.on.answer({ refused: { [code]: sentence } }, new Map([[code, sent]]));
  }

  // The page goes away: what is not on its way yet goes now, and nobody waits for the answer.
  lastWord() {
    if (this.trouble === "stopped" || this.trouble === "login") return;
    const left = new Map([...this.batch()].filter(([code, { value }]) => this.inFlight?.get(code)?.value !== value));
    if (left.size) post(this.part.url, this.body(left));
  }

  fail(kind, answer = null) {
    if (kind === "offline" && !this.typed.size) return this.on.tell();
    this.trouble = kind;
    if (kind === "offline" || kind === "server") {
      const wait = Math.min(30000, 1000 * 2 ** this.failures++);
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.retry(), wait);
    }
    this.on.trouble(kind, answer);
    this.on.tell();
  }

  clear() {
    this.failures = this.later.size ? this.failures : 0;
    if (!this.trouble) return;
    this.trouble = "";
    this.on.trouble("", null);
  }

  // Until everything typed is on the server: true; false when that can't be now.
  async settled() {
    const until = Date.now() + LONG_ENOUGH;
    while (Date.now() < until) {
      if (!this.typed.size) return true;
      if (this.trouble || !this.isBusy()) return false;
      if (!this.inFlight) await this.now();
      else await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return false;
  }
}

// How the savers of a page stand, all together: [sentence, "saved" | "saving" | "trouble"].
export function standing(savers) {
  const busy = savers.filter((saver) => saver.typed.size);
  if (!busy.length) {
    const at = savers.map((saver) => saver.savedAt).sort().at(-1);
    return [at ? `已保存 ${at}` : "", "saved"];
  }
  if (busy.some((saver) => !saver.shelf.works)) return [WORDS.unstorable, "trouble"];
  const trouble = busy.find((saver) => saver.trouble)?.trouble;
  if (trouble) return [WORDS[trouble], "trouble"];
  if (busy.some((saver) => saver.isBusy())) return ["正在保存…", "saving"];
  const count = (name) => busy.reduce((sum, saver) => sum + saver[name].size, 0);
  const words = [];
  if (count("refused")) words.push(`${count("refused")} 项未保存，请改正`);
  if (count("waiting")) words.push(`${count("waiting")} 项与他人所填不一致，请选择`);
  return [words.join("；"), "trouble"];
}
