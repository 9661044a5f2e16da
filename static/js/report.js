// 送温暖报告: drop or choose a file, see it go up. Without this script the form works as it stands.

import { csrfToken } from "./entry-saving.js";

const MAX_SIZE = 20 * 1024 * 1024;
const form = document.getElementById("drop");
const $ = (id) => document.getElementById(id);

if (form) {
  const file = $("report-file");
  form.classList.add("scripted");
  $("report-choose").hidden = false;
  $("report-send").hidden = true;

  file.addEventListener("change", () => file.files[0] && send(file.files[0]));
  for (const name of ["dragenter", "dragover"]) {
    form.addEventListener(name, (event) => {
      event.preventDefault();
      form.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) form.addEventListener(name, () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files[0]) send(event.dataTransfer.files[0]);
  });

  function fail(sentence) {
    $("upload-error").textContent = sentence;
    $("upload-error").hidden = false;
    $("upload-progress").hidden = true;
    form.classList.remove("busy");
    file.value = "";
  }

  function send(chosen) {
    if (form.classList.contains("busy")) return;
    $("upload-error").hidden = true;
    // The server judges again; this only spares people a long wait for a certain refusal.
    if (chosen.size > MAX_SIZE) {
      return fail(`文件有 ${(chosen.size / 1048576).toFixed(1)} MB，超过 20 MB。请压缩文中的图片后再上传。`);
    }
    form.classList.add("busy");
    $("upload-progress").hidden = false;
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      const percent = Math.round((100 * event.loaded) / event.total);
      $("upload-bar").style.width = `${percent}%`;
      $("upload-text").textContent = percent < 100 ? `正在上传 ${percent}%` : "正在检查文件…";
    });
    request.addEventListener("load", () => {
      if (request.status === 200) return location.assign(location.pathname.replace(/upload\/$/, ""));
      fail(request.response?.error ?? "上传没有成功，请稍后再试。");
    });
    request.addEventListener("error", () => fail("网络中断，文件没有上传，请稍后再试。"));
    const data = new FormData();
    data.append("report", chosen, chosen.name);
    request.send(data);
  }
}
