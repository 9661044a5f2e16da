// What every page of a filing does for the whole filing: sends what other forms left on this machine, lets
// nobody leave before the last figure is on its way, and lets nothing be submitted while something is left here.

import { Saver, standing } from "./entry-saving.js";
import { draftsOf, shelfOf } from "./entry-shelf.js";

const MOMENT = 1500; // ms to wait for the last figures before following a link; then the shelf holds them
const $ = (id) => document.getElementById(id);

export const state = JSON.parse($("entry-state").textContent);

export function make(tag, className, ...content) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...content);
  return element;
}

export function button(className, text, onClick) {
  const element = make("button", className, text);
  element.type = "button";
  element.addEventListener("click", onClick);
  return element;
}

// A line over the page about something that stops the saving; no content takes it away.
export function bar(...content) {
  $("bar").replaceChildren(...content);
  $("bar").hidden = content.length === 0;
}

function showTrouble(kind, answer, savers) {
  if (kind === "login") {
    const link = make("a", "btn btn-primary btn-sm", "重新登录");
    link.href = `${answer?.login ?? state.urls.login}?next=${encodeURIComponent(location.pathname)}`;
    link.target = "_blank";
    link.rel = "noopener";
    const again = button("btn btn-plain btn-sm", "已登录，继续保存", () => savers.forEach((saver) => saver.now()));
    bar("登录已过期。已填内容存在本机，登录后自动补传。", link, again);
  } else if (kind === "stopped") {
    const link = make("a", "btn btn-plain btn-sm", "刷新页面");
    link.href = location.pathname;
    bar(answer?.error ?? "页面已过期，没有保存。", "您填的内容存在本机，仍显示在下面。", link);
  } else if (!savers.some((saver) => saver.trouble === "login" || saver.trouble === "stopped")) bar();
}

export class FilingSavers {
  constructor() {
    this.savers = [];
  }

  // A saver for one part of the filing. on: {answer(answer, sent), isComputed(code), changed()}
  open(slug, known, on) {
    const part = state.parts.find((one) => one.slug === slug);
    const saver = new Saver(state, part, known, {
      ...on,
      tell: () => this.tell(),
      trouble: (kind, answer) => showTrouble(kind, answer, this.savers),
    });
    this.savers.push(saver);
    return saver;
  }

  // Savers for the parts that have no place on this page, with what this machine holds for them.
  openOthers() {
    if (!state.editable) return;
    for (const { slug } of state.parts) {
      const there = this.savers.find((saver) => saver.part.slug === slug);
      if (there && !there.isElsewhere) continue;
      const kept = Object.entries(shelfOf(state, slug).all()).filter(([code]) => !there?.typed.has(code));
      if (!kept.length) continue;
      const saver = there ?? this.open(slug, new Map(), { answer: () => this.showElsewhere() });
      saver.isElsewhere = true;
      kept.forEach(([code, entry]) => saver.takeUp(code, entry));
      saver.now();
    }
  }

  tell() {
    const [text, kind] = standing(this.savers);
    $("saved").textContent = state.editable ? text : "";
    $("saved").className = `saved ${kind}`;
  }

  // What the server does not take as it is can be mended only at its own form.
  showElsewhere() {
    const lines = [];
    for (const saver of this.savers.filter((one) => one.isElsewhere)) {
      const list = (codes, why) => {
        const names = codes.slice(0, 6).map((code) => saver.part.names?.[code] ?? code);
        return codes.length ? [`${names.join("、")}${codes.length > 6 ? ` 等 ${codes.length} 项` : ""}${why}`] : [];
      };
      const what = [...list([...saver.waiting], "与他人所填不一致"), ...list([...saver.refused.keys()], "没有保存")];
      if (!what.length) continue;
      const link = make("a", "btn btn-plain btn-sm", "去处理");
      link.href = saver.part.page;
      lines.push(make("div", "", `${saver.part.title}：${what.join("；")}。您填的还在本机。`, link));
    }
    $("elsewhere").replaceChildren(...lines);
    $("elsewhere").hidden = !lines.length;
  }

  async settled() {
    const all = await Promise.all(this.savers.map((saver) => saver.settled()));
    return all.every(Boolean);
  }

  // The titles of what this machine still holds of this filing.
  left() {
    return state.parts.flatMap(({ slug, title }) => [
      ...(shelfOf(state, slug).names().length ? [title] : []),
      ...(draftsOf(state, slug).names().length ? [`${title}的说明`] : []),
    ]);
  }

  sentenceOfLeft() {
    return `${this.left().join("、")}还有没有保存到服务器的内容。请等网络恢复、登录或处理后再上报。`;
  }

  // Whoever follows a link takes along what was just typed.
  guardLinks() {
    document.addEventListener("click", async (event) => {
      const link = event.target.closest("a[href]");
      const isElsewhere = !link || link.target || link.hasAttribute("download") || link.origin !== location.origin;
      const asksForMore = event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
      if (isElsewhere || asksForMore || event.defaultPrevented || link.getAttribute("href").startsWith("#")) return;
      if (!this.savers.some((saver) => saver.isBusy() && !saver.trouble)) return;
      event.preventDefault();
      await Promise.race([this.settled(), new Promise((resolve) => setTimeout(resolve, MOMENT))]);
      location.assign(link.href);
    });
  }
}
