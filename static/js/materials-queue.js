// Files on their way: a row for each, two at a time, continued after any interruption (tus protocol).
//
// What the server has received it keeps for three days; this machine remembers where (localStorage), so the same
// file chosen again after a crash goes on where it stopped. The server's sentences are shown as they come.

import { csrfToken } from "./entry-saving.js";

const AT_ONCE = 2; // a slow line gets no faster by more, and each holds a place at the server
const PIECE = 1024 * 1024; // bytes a request; what is lost when a connection breaks
// ms before each new attempt; long enough for a tunnel. Every piece that arrives starts the list again.
const DELAYS = [300, 1000, 3000, 5000, 10000, 20000, 30000, 60000, 60000];
const KEPT = 3 * 24 * 3600 * 1000; // ms, as the server keeps an unfinished upload
const ACTIVE = ["sending", "retrying", "checking"];
const UNDER_WAY = [...ACTIVE, "waiting", "paused", "offline", "login"];

// → status; 0 when nothing came back
export async function request(method, url) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrfToken(), "Tus-Resumable": "1.0.0" };
  try {
    return (await fetch(url, { method, headers, credentials: "same-origin" })).status;
  } catch {
    return 0;
  }
}

function make(tag, className, ...content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...content);
  return element;
}

function button(text, onClick) {
  const element = make("button", "btn btn-plain btn-sm", text);
  element.type = "button";
  element.addEventListener("click", onClick);
  return element;
}

// "12.3 / 48.0 MB"
function amounts(sent, total) {
  const [unit, name, digits] = total < 1048576 ? [1024, "KB", 0] : [1048576, "MB", 1];
  return `${(sent / unit).toFixed(digits)} / ${Math.max(total / unit, 1).toFixed(digits)} ${name}`;
}

// A file's name may be a household's: what stays on this machine for days does not spell it out.
function unreadable(text) {
  let [a, b] = [0x9e3779b1, 0x85ebca6b];
  for (const character of text) {
    a = Math.imul(a ^ character.codePointAt(0), 0x9e3779b1);
    b = Math.imul(b ^ character.codePointAt(0), 0x5f356495);
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36);
}

const memory = () => {
  const known = window.tus.defaultOptions.urlStorage;
  return {
    findAllUploads: () => known.findAllUploads(),
    findUploadsByFingerprint: (key) => known.findUploadsByFingerprint(key),
    removeUpload: (key) => known.removeUpload(key),
    addUpload: (key, upload) => known.addUpload(key, { ...upload, metadata: {} }),
  };
};

// The server answered in a way that asking again can't mend; tus would throw the upload's address away.
class Stopped extends Error {
  constructor(status) {
    super(`${status}`);
    this.status = status;
  }
}

function understood(error) {
  if (error.causingError instanceof Stopped) return { status: error.causingError.status, answer: null };
  const response = error.originalResponse;
  if (!response) return { status: 0, answer: null };
  try {
    return { status: response.getStatus(), answer: JSON.parse(response.getBody()) };
  } catch {
    return { status: response.getStatus(), answer: null };
  }
}

class Transfer {
  constructor(queue, file, kind) {
    Object.assign(this, { queue, file, kind, sent: 0, total: file.size, state: "waiting", sentence: "" });
    this.key = `songwennuan:${queue.page.person}:${queue.page.endpoint}:${kind}:${unreadable(file.name)}:${file.size}:${file.lastModified}`;
    this.before = this.namesakes();
    this.row = make("li", "transfer");
    this.progress = make("progress");
    this.progress.max = this.total || 1;
    this.progress.setAttribute("aria-label", file.name);
    this.words = make("span", "transfer-words");
    this.todo = make("div", "transfer-do");
    this.row.append(make("div", "transfer-what", make("span", "transfer-name", file.name), this.progress, this.words), this.todo);
    this.show("waiting");
  }

  show(state, sentence = "") {
    this.state = state;
    this.sentence = sentence;
    this.row.className = `transfer ${state}`;
    this.progress.value = this.sent;
    this.progress.hidden = state === "failed" || state === "done";
    const so_far = `已传 ${amounts(this.sent, this.total)}`;
    this.words.textContent = {
      waiting: `等待上传，共 ${amounts(0, this.total).split(" / ")[1]}`,
      sending: so_far,
      retrying: `连接中断，正在重试。${so_far}`,
      checking: "已传完，服务器正在检查…",
      paused: `已暂停。${so_far}`,
      offline: `网络中断，恢复后自动继续。${so_far}`,
      login: `登录已过期，重新登录后继续。${so_far}`,
      failed: sentence,
      done: "已保存",
    }[state];
    if (state === "failed") this.words.setAttribute("role", "alert");
    else this.words.removeAttribute("role");
    if (state !== this.offered) this.offer(state);
    this.queue.changed();
  }

  offer(state) {
    this.offered = state;
    const can = [];
    if (["sending", "retrying", "waiting"].includes(state)) can.push(button("暂停", () => this.pause()));
    if (["paused", "offline"].includes(state)) can.push(button("继续", () => this.again()));
    if (state === "failed" && this.file.slice) can.push(button("重试", () => this.again()));
    if (UNDER_WAY.includes(state) && state !== "checking") can.push(button("取消", () => this.cancel()));
    if (state === "failed") can.push(button("移除", () => this.queue.drop(this)));
    for (const one of can) one.setAttribute("aria-label", `${one.textContent} ${this.file.name}`);
    // Whoever pressed 暂停 finds 继续 under the same finger.
    const held = this.todo.contains(document.activeElement);
    this.todo.replaceChildren(...can);
    if (held) can[0]?.focus();
  }

  async start() {
    this.show("sending");
    if (!this.upload) {
      this.upload = this.prepare();
      const before = await this.upload.findPreviousUploads().catch(() => []);
      const young = before.filter((one) => Date.now() - new Date(one.creationTime) < KEPT);
      if (young.length) this.upload.resumeFromPreviousUpload(young.at(-1));
    }
    if (this.state === "sending") this.upload.start();
  }

  prepare() {
    const { page } = this.queue;
    return new window.tus.Upload(this.file, {
      endpoint: page.endpoint,
      chunkSize: PIECE,
      retryDelays: DELAYS,
      urlStorage: this.queue.memory,
      removeFingerprintOnSuccess: true,
      fingerprint: () => Promise.resolve(this.key),
      metadata: { filename: this.file.name, kind: this.kind, person: page.person },
      headers: { Accept: "application/json" },
      onBeforeRequest: (going) => {
        going.setHeader("X-CSRFToken", csrfToken());
        if (going.getMethod() === "PATCH") this.isLast = Number(going.getHeader("Upload-Offset")) + PIECE >= this.total;
      },
      onAfterResponse: (asked, response) => {
        const status = response.getStatus();
        if (asked.getMethod() !== "HEAD") return;
        if ([401, 403, 409, 412].includes(status) || (status === 404 && this.isLast)) throw new Stopped(status);
      },
      onUploadUrlAvailable: () => this.queue.supersede(this.upload.url),
      onProgress: (sent) => {
        if (!ACTIVE.includes(this.state)) return;
        this.sent = sent;
        this.show(sent === this.total ? "checking" : "sending");
      },
      onShouldRetry: (error) => this.mayRetry(error),
      onError: (error) => this.stopped(error),
      onSuccess: () => this.queue.finished(this),
    });
  }

  mayRetry(error) {
    const { status, answer } = understood(error);
    const mends = status === 0 ? navigator.onLine
      : status === 409 ? answer?.offset !== undefined
      : [423, 429].includes(status) || (status >= 500 && status !== 507);
    if (mends && ACTIVE.includes(this.state)) this.show("retrying");
    return mends;
  }

  stopped(error) {
    const { status, answer } = understood(error);
    if (status === 404 && this.isLast) this.lookForIt();
    else if (status === 0) this.show("offline");
    else if (status === 401) {
      this.show("login");
      this.queue.askForLogin();
    } else {
      if (status < 500) this.forget();
      this.show("failed", answer?.error ?? (status < 500
        ? "现在不能上传：页面可能已过期，或本组已归档。请刷新页面后再试。"
        : "服务器没有应答，请稍后重试，已传的部分不会丢失。"));
    }
    this.queue.next();
  }

  // The last piece went out, its answer was lost, and there is nothing left to go on with: was the file kept?
  async lookForIt() {
    this.show("checking");
    this.forget();
    await this.queue.stored();
    if (this.namesakes().some((id) => !this.before.includes(id))) return this.queue.finished(this);
    Object.assign(this, { upload: null, isLast: false, sent: 0 });
    return this.again();
  }

  namesakes() {
    const items = [...document.querySelectorAll(`#${this.kind} [id^=material-]`)];
    return items.filter((item) => item.dataset.name === this.file.name).map((item) => item.id);
  }

  // Nothing is left there to go on with.
  forget() {
    this.upload.findPreviousUploads()
      .then((known) => known.forEach((one) => this.queue.memory.removeUpload(one.urlStorageKey)))
      .catch(() => {});
  }

  pause() {
    this.upload?.abort();
    this.show("paused");
    this.queue.next();
  }

  again() {
    this.show("waiting");
    this.queue.next();
  }

  cancel() {
    this.upload?.abort(true).catch(() => {});
    this.queue.drop(this);
  }
}

export class Queue {
  // page: {person, endpoint, login}; stored(): the server has new material, resolves when the lists show it
  constructor(page, stored) {
    Object.assign(this, { page, stored, transfers: [], finishedCount: 0, memory: memory() });
    this.sum = document.getElementById("transfer-sum");
    this.bar = document.getElementById("bar");
    window.addEventListener("online", () => this.resume("offline"));
    window.addEventListener("focus", () => this.resume("login"));
    window.addEventListener("beforeunload", (event) => {
      if (!this.transfers.some((one) => [...ACTIVE, "waiting"].includes(one.state))) return;
      event.preventDefault();
      event.returnValue = "";
    });
    this.tidy();
  }

  // Forget here what the server has long forgotten.
  tidy() {
    this.memory.findAllUploads()
      .then((all) => all.filter((one) => !(Date.now() - new Date(one.creationTime) < KEPT)))
      .then((old) => old.forEach((one) => this.memory.removeUpload(one.urlStorageKey)))
      .catch(() => {});
  }

  listOf = (kind) => document.querySelector(`[data-transfers="${kind}"]`);

  add(file, kind) {
    const transfer = new Transfer(this, file, kind);
    const same = this.transfers.find((one) => one.key === transfer.key);
    if (same && same.state !== "failed") return same.row.scrollIntoView({ block: "nearest" });
    if (same) this.drop(same);
    this.transfers.push(transfer);
    this.listOf(kind).append(transfer.row);
    this.next();
  }

  refuse(name, kind, sentence) {
    const transfer = new Transfer(this, { name, size: 0 }, kind);
    this.transfers.push(transfer);
    this.listOf(kind).append(transfer.row);
    transfer.show("failed", sentence);
  }

  drop(transfer) {
    this.transfers = this.transfers.filter((one) => one !== transfer);
    transfer.row.remove();
    this.next();
  }

  next() {
    const busy = this.transfers.filter((one) => ACTIVE.includes(one.state)).length;
    this.transfers.filter((one) => one.state === "waiting").slice(0, Math.max(0, AT_ONCE - busy)).forEach((one) => one.start());
    this.changed();
  }

  async finished(transfer) {
    transfer.sent = transfer.total;
    transfer.show("done");
    this.finishedCount += 1;
    this.next();
    await this.stored();
    this.drop(transfer);
  }

  // The row of an upload from before, now that its file goes on.
  supersede(url) {
    const path = new URL(url, location.href).pathname;
    document.querySelectorAll("[data-upload]").forEach((row) => row.dataset.upload === path && row.remove());
  }

  resume(state) {
    if (state === "login") this.bar.hidden = true;
    this.transfers.filter((one) => one.state === state).forEach((one) => one.again());
  }

  askForLogin() {
    const link = make("a", "btn btn-primary btn-sm", "重新登录");
    link.href = `${this.page.login}?next=${encodeURIComponent(location.pathname)}`;
    link.target = "_blank";
    link.rel = "noopener";
    this.bar.replaceChildren("登录已过期。已传的部分保存在服务器上，登录后从断点继续。", link, button("已登录，继续上传", () => this.resume("login")));
    this.bar.hidden = false;
  }

  changed() {
    if (this.telling) return;
    this.telling = requestAnimationFrame(() => {
      this.telling = 0;
      this.tell();
    });
  }

  tell() {
    const under_way = this.transfers.filter((one) => UNDER_WAY.includes(one.state));
    const failed = this.transfers.filter((one) => one.state === "failed");
    this.sum.hidden = !under_way.length && !failed.length;
    if (this.sum.hidden) {
      this.finishedCount = 0;
      return;
    }
    const moving = under_way.filter((one) => ["waiting", "sending", "retrying", "checking"].includes(one.state));
    const resting = under_way.length - moving.length;
    const all = (name) => moving.reduce((sum, one) => sum + one[name], 0);
    const words = [];
    if (moving.length) words.push(`还有 ${moving.length} 个文件在上传（${amounts(all("sent"), all("total"))}），请不要关闭页面`);
    if (resting) words.push(`${resting} 个停在半途`);
    if (this.finishedCount) words.push(`已保存 ${this.finishedCount} 个`);
    const content = [make("span", "", words.join("；"))];
    if (failed.length) {
      const look = button(`${failed.length} 个没有传上，看原因`, () => failed[0].row.scrollIntoView({ block: "center" }));
      look.classList.add("trouble");
      content.push(look);
    }
    const stoppable = moving.filter((one) => one.state !== "checking");
    if (stoppable.length > 1) content.push(button("全部暂停", () => stoppable.forEach((one) => one.pause())));
    else if (!moving.length && under_way.some((one) => one.state === "paused")) content.push(button("全部继续", () => this.resume("paused")));
    this.sum.replaceChildren(...content);
  }
}
