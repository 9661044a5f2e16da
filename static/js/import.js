// A workbook goes up: drop it or choose it, see how far it is, read why it was refused. Without this script the
// form works as it stands.

import { csrfToken } from "./entry-saving.js";

const MAX_SIZE = 20 * 1024 * 1024;
const $ = (id) => document.getElementById(id);

// Sends a form's files with the progress shown in it. Resolves to the server's answer; shows what it refused.
// said: the words while the server is at work after everything has arrived
export function sendFiles(form, data, said) {
  const bar = $("upload-bar");
  fail();
  form.classList.add("busy");
  $("upload-progress").hidden = false;
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", form.action || location.href);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      const percent = Math.round((100 * event.loaded) / event.total);
      if (percent < 100) {
        bar.max = 100;
        bar.value = percent;
      } else bar.removeAttribute("value");
      $("upload-text").textContent = percent < 100 ? `正在上传 ${percent}%` : said;
    });
    const end = (sentences) => {
      form.classList.remove("busy");
      $("upload-progress").hidden = true;
      fail(sentences);
    };
    request.addEventListener("load", () => {
      if (request.status === 200 && request.response) return resolve(request.response);
      if (request.status === 413) return end(["文件合计过大，服务器没有接收。请分几次上传。"]);
      end(request.response?.sentences ?? [request.response?.error ?? "上传没有成功，请稍后再试。"]);
    });
    request.addEventListener("error", () => end(["网络中断，文件没有上传，请稍后再试。"]));
    request.send(data);
  });
}

export function fail(sentences = []) {
  $("upload-errors").replaceChildren(...sentences.map((sentence) => {
    const line = document.createElement("p");
    line.textContent = sentence;
    return line;
  }));
  $("upload-errors").hidden = !sentences.length;
}

// The dashed field takes what is dropped on it; `take` gets the DataTransfer.
export function dropZone(form, take) {
  form.classList.add("scripted");
  for (const name of ["dragenter", "dragover"]) {
    form.addEventListener(name, (event) => {
      event.preventDefault();
      form.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) form.addEventListener(name, () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!form.classList.contains("busy")) take(event.dataTransfer);
  });
}

const form = $("drop");
if (form && !("many" in form.dataset)) {
  const input = $("drop-file");
  $("drop-choose").hidden = false;
  $("drop-send").hidden = true;

  async function send(files) {
    if (files.length !== 1) return files.length && fail(["一次只能导入一个文件。"]);
    const [file] = files;
    // The server judges again; this only spares people a long wait for a certain refusal.
    if (file.size > MAX_SIZE) {
      input.value = "";
      return fail([`“${file.name}”有 ${(file.size / 1048576).toFixed(1)} MB，超过 20 MB。请只保留报表，另存后再上传。`]);
    }
    const data = new FormData();
    data.append(input.name, file, file.name);
    input.value = ""; // the same file again, once it is mended, is a change
    location.assign((await sendFiles(form, data, "正在读取表格…")).url);
  }
  input.addEventListener("change", () => send([...input.files]));
  dropZone(form, (transfer) => send([...transfer.files]));
}

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
