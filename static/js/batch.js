// Many workbooks at once: choosing files or a folder, dropping them, and choosing what is filled in.

import { dropZone, fail, sendFiles } from "./import.js";

const MOST_BYTES = 28 * 1024 * 1024; // what the proxy lets through in one piece
const $ = (id) => document.getElementById(id);
const form = $("drop");

// Everything in a dropped folder, with its path.
async function inside(entry, path = "") {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return [{ file, path: path + file.name }];
  }
  const reader = entry.createReader();
  const found = [];
  // A reader gives a hundred entries at a time, and none at the end.
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return found;
    for (const one of some) found.push(...await inside(one, `${path}${entry.name}/`));
  }
}

const isLitter = (path) => /(^|\/)(~\$|\._|\.DS_Store$|__MACOSX\/)/.test(path);

async function send(found) {
  const files = found.filter(({ path }) => !isLitter(path));
  if (!files.length) return found.length && fail(["里面没有可以读取的文件。"]);
  const most = Number(form.dataset.most);
  if (files.length > most) return fail([`共有 ${files.length} 个文件，一次最多 ${most} 个。请分几次上传。`]);
  const size = files.reduce((sum, { file }) => sum + file.size, 0);
  if (size > MOST_BYTES) {
    return fail([`合计 ${(size / 1048576).toFixed(1)} MB，一次上传不能超过 28 MB。请只选各单位的报表，或者分几次上传。`]);
  }
  const data = new FormData();
  for (const { file, path } of files) {
    data.append("files", file, file.name);
    data.append("paths", path);
  }
  location.assign((await sendFiles(form, data, "正在检查文件…")).url);
}

if (form) {
  const [files, folder] = [$("drop-file"), $("drop-folder")];
  for (const id of ["drop-choose", "drop-choose-folder", "drop-folder"]) $(id).hidden = false;
  $("drop-send").hidden = true;
  for (const input of [files, folder]) {
    input.addEventListener("change", () => {
      const found = [...input.files].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
      input.value = "";
      send(found);
    });
  }
  dropZone(form, async (transfer) => {
    // The entries are gone after the first pause: all are taken at once.
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
    const plain = [...transfer.files].map((file) => ({ file, path: file.name }));
    if (!entries.length) return send(plain);
    try {
      send((await Promise.all(entries.map((entry) => inside(entry)))).flat());
    } catch {
      fail(["没有读到拖入的内容，请用“选择文件夹”再试。"]);
    }
  });
}

const boxes = [...document.querySelectorAll(".batch-files input[name=file]")];
if (boxes.length) {
  const all = $("pick-all");
  const tell = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    all.checked = chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
    $("chosen-count").textContent = ` ${chosen} 个文件`;
    $("confirm").disabled = !chosen;
    // page.js wakes buttons on a page from the history; this one sleeps for a reason.
    $("confirm").toggleAttribute("data-stays-disabled", !chosen);
  };
  all.hidden = false;
  all.addEventListener("change", () => {
    boxes.forEach((box) => (box.checked = all.checked));
    tell();
  });
  boxes.forEach((box) => box.addEventListener("change", tell));
  window.addEventListener("pageshow", tell);
  tell();
}
