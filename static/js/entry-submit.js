// 上报 on a form's page: everything typed goes first, then what is missing or what submitting will do, then yes.

import { make, state } from "./entry-filing.js";
import { csrfToken } from "./entry-saving.js";

const $ = (id) => document.getElementById(id);

// takeUp(): whatever this machine holds of the filing by now is sent, too
export function offerSubmit(savers, takeUp) {
  const link = $("submit");
  if (!link) return;
  const dialog = $("submit-dialog");
  const confirm = $("submit-confirm");
  const fields = dialog.querySelector("form").elements;
  const say = (title, ...content) => {
    $("submit-title").textContent = title;
    $("submit-body").replaceChildren(...content);
    if (!dialog.open) dialog.showModal();
  };
  link.addEventListener("click", async (event) => {
    event.preventDefault();
    confirm.hidden = true;
    takeUp();
    await savers.settled();
    if (savers.left().length) return say("还不能上报", make("p", "", savers.sentenceOfLeft()));
    const response = await fetch(state.urls.submit, { headers: { Accept: "application/json" } }).catch(() => null);
    const answer = response && (await response.json().catch(() => null));
    if (!answer || !response.ok) return say("还不能上报", make("p", "", answer?.error ?? "网络中断，请稍后再试。"));
    if (answer.missing.length) {
      const list = make("ul", "missing", ...answer.missing.map((sentence) => make("li", "", sentence)));
      return say(`还不能上报：${answer.missing.length} 项要处理`, list);
    }
    const words = [make("p", "", "统计表和送温暖报告已填写完整。上报后不能再修改，审核员开始审核前可以撤回。")];
    if (answer.not_included.length) {
      words.push(make("p", "not-included", `以下 ${answer.not_included.length} 个下级单位还没有通过审核，合计中不含其数据：${answer.not_included.join("、")}。`));
    }
    fields.seen.value = answer.token;
    confirm.hidden = false;
    confirm.disabled = false;
    say("确认上报", ...words);
  });
  $("submit-cancel").addEventListener("click", () => dialog.close());
  dialog.querySelector("form").addEventListener("submit", () => (fields.csrfmiddlewaretoken.value = csrfToken()));
}
