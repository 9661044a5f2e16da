"""Filing material in a real browser: many files at once, interrupted, continued, looked at."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from delegations.models import Delegation, Material, Upload
from tests.browser.conftest import session_cookie
from tests.delegations import made_files as made
from tests.delegations.stage import PlanStage, make_plan_stage
from tests.delegations.tus_client import announce, file_it, send

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Open = Callable[..., Page]
SIZES = [(1366, 768), (390, 844)]
MEGABYTE = 1024 * 1024


@pytest.fixture
def plan(live_server: Any) -> PlanStage:
    plan = make_plan_stage(full=False)
    plan.lock()
    return plan


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What the browser's console says against a page; the content policy speaks there. Answers with a refusal
    are told there too and are meant."""
    said: list[str] = []
    yield said
    assert [text for text in said if "Failed to load resource" not in text] == []


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A person's own disk: files on it keep their time, so a browser knows them again."""
    return tmp_path_factory.mktemp("disk")


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    os.utime(path, (1_609_800_000, 1_609_800_000))
    return path


def photograph(seed: int, megabytes: float = 0) -> bytes:
    """A real one, with something behind its end that makes it long to send."""
    when = f"2021:01:05 {8 + seed:02d}:00:00"
    content = made.jpeg(900, 600, seed=seed * 9, exif=made.told_everything(when=when))
    return content + random.Random(seed).randbytes(int(megabytes * MEGABYTE))


def watched(page: Page, complaints: list[str]) -> Page:
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    return page


@pytest.fixture
def page(plan: PlanStage, open_page: Open, complaints: list[str]) -> Page:
    return watched(open_page(plan.liaison.person, reverse("materials", args=[plan.harbin.pk])), complaints)


def row(page: Page, name: str) -> Any:
    return page.locator(".transfer", has_text=name)


def test_several_files_at_once_and_a_bad_one_says_why(plan: PlanStage, page: Page, folder: Path) -> None:
    photos = [written(folder, f"现场{n}.jpg", photograph(n, 1.5)) for n in (1, 2, 3)]
    fake = written(folder, "假照片.jpg", made.EXE)
    heic = written(folder, "IMG_1.HEIC", made.HEIC)
    seen: set[str] = set()
    page.expose_function("tell", lambda name: seen.add(name))
    page.evaluate(
        """() => new MutationObserver(() => document.querySelectorAll(".transfer progress:not([hidden])")
          .forEach((one) => window.tell(one.getAttribute("aria-label"))))
          .observe(document.body, { childList: true, subtree: true, attributes: true })"""
    )
    expect(page.locator("#photo .gallery")).to_have_count(0)
    page.locator("#choose-report").set_input_files(written(folder, "工作汇报.docx", made.docx()))
    page.locator("#choose-photo").set_input_files([*photos, fake, heic])
    expect(page.locator("#photo .photo img")).to_have_count(3)
    expect(page.locator("#report .file-name")).to_have_text("工作汇报.docx")
    assert {"现场1.jpg", "现场2.jpg", "现场3.jpg", "工作汇报.docx"} <= seen, "each had its progress bar"
    for n in range(3):
        thumbnail = page.locator("#photo .photo img").nth(n)
        thumbnail.scroll_into_view_if_needed()
        expect(thumbnail).to_have_js_property("naturalWidth", 480)
    expect(row(page, "假照片.jpg")).to_contain_text("扩展名是 .jpg，内容却是 Windows 程序")
    expect(row(page, "IMG_1.HEIC")).to_contain_text("兼容性最佳")
    expect(page.locator(".transfer:not(.failed)")).to_have_count(0)
    expect(page.locator(".checklist")).to_contain_text("还缺入户走访材料、媒体报道")
    expect(page.locator("#transfer-sum")).to_contain_text("2 个没有传上")
    row(page, "假照片.jpg").get_by_role("button", name="移除").click()
    row(page, "IMG_1.HEIC").get_by_role("button", name="移除").click()
    expect(page.locator("#transfer-sum")).to_be_hidden()
    assert Material.objects.count() == 4 and not Upload.objects.exists()


def test_pictures_are_looked_at_with_the_keyboard(plan: PlanStage, page: Page, client: Any) -> None:
    client.force_login(plan.liaison.person)
    for n in (1, 2, 3):
        file_it(client, plan.harbin, "photo", f"现场{n}.jpg", photograph(n))
    Material.objects.get(name="现场1.jpg").file.delete(save=False)
    page.reload()
    viewer = page.locator("#viewer")
    page.locator(".photo-open").nth(1).focus()
    page.keyboard.press("Enter")
    expect(viewer).to_be_visible()
    expect(page.locator("#viewer-count")).to_have_text("2 / 3")
    expect(page.locator("#viewer-name")).to_have_text("现场2.jpg")
    expect(page.locator("#viewer-facts")).to_contain_text("2021年1月5日 10:00 拍摄 · 900 × 600")
    expect(page.locator("#viewer-facts")).to_contain_text("联络员甲")
    expect(page.locator("#viewer-image")).to_have_js_property("naturalWidth", 900)
    page.keyboard.press("ArrowRight")
    expect(page.locator("#viewer-name")).to_have_text("现场3.jpg")
    expect(page.get_by_role("button", name="下一张")).to_be_disabled()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#viewer-count")).to_have_text("3 / 3")
    page.keyboard.press("Home")
    expect(page.locator("#viewer-name")).to_have_text("现场1.jpg")
    expect(page.locator("#viewer-error")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#viewer-error")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    assert page.evaluate("document.activeElement.dataset.name") == "现场2.jpg", "the cursor is where one was"


def cut_after(page: Page, pieces: int) -> list[int]:
    """From the piece of this number on the line is dead; where each piece began."""
    offsets: list[int] = []

    def piece(route: Route) -> None:
        if route.request.method == "PATCH":
            offsets.append(int(route.request.headers["upload-offset"]))
            if len(offsets) > pieces:
                route.abort("connectionreset")
                return
        route.continue_()

    page.route("**/uploads/*/", piece)
    return offsets


def test_an_interrupted_file_goes_on_where_it_stopped(plan: PlanStage, page: Page, folder: Path) -> None:
    film = written(folder, "报道.mp4", made.mp4(size=4 * MEGABYTE))
    offsets = cut_after(page, 2)
    page.locator("#choose-coverage").set_input_files(film)
    expect(row(page, "报道.mp4")).to_contain_text("连接中断，正在重试")
    page.unroute("**/uploads/*/")
    expect(page.locator("#coverage .file-name")).to_have_text("报道.mp4")
    assert offsets[:2] == [0, MEGABYTE] and set(offsets[2:]) == {2 * MEGABYTE}
    with Material.objects.get().file.open() as stored:
        assert stored.read() == film.read_bytes()


def test_after_a_crash_the_same_file_chosen_again_goes_on(plan: PlanStage, page: Page, folder: Path) -> None:
    film = written(folder, "报道.mp4", made.mp4(size=4 * MEGABYTE))
    cut_after(page, 2)
    page.locator("#choose-coverage").set_input_files(film)
    expect(row(page, "报道.mp4")).to_contain_text("连接中断")
    remembered = page.evaluate("JSON.stringify({ ...localStorage })")
    assert "/uploads/" in remembered and "报道" not in remembered, "a name may be a household's"
    page.reload()
    page.unroute("**/uploads/*/")
    expect(row(page, "报道.mp4")).to_contain_text(
        "上次没有传完（已传 2.0 MB，共 4.0 MB）。请再选一次这个文件，从断点继续。"
    )
    offsets = cut_after(page, 99)
    page.locator("#choose-coverage").set_input_files(film)
    expect(page.locator("#coverage .file-name")).to_have_text("报道.mp4")
    expect(page.locator(".transfer")).to_have_count(0)
    assert offsets[0] == 2 * MEGABYTE, "not from the beginning"
    with Material.objects.get().file.open() as stored:
        assert stored.read() == film.read_bytes()
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('tus::'))") == []


def test_an_answer_that_was_lost_makes_nobody_send_it_all_again(
    plan: PlanStage, page: Page, folder: Path, client: Any
) -> None:
    client.force_login(plan.liaison.person)
    film = written(folder, "报道.mp4", made.mp4(size=2 * MEGABYTE))
    offsets: list[int] = []

    def lose_the_last_answer(route: Route) -> None:
        if route.request.method != "PATCH":
            return route.continue_()
        offsets.append(int(route.request.headers["upload-offset"]))
        if len(offsets) < 3:
            return route.continue_()
        # The piece arrives, by another way; only its answer does not come back.
        answer = send(client, urlsplit(route.request.url).path, offsets[-1], film.read_bytes()[offsets[-1] :])
        assert "Upload-Material" in answer, (offsets, answer.content.decode())
        return route.abort("connectionreset")

    page.route("**/uploads/*/", lose_the_last_answer)
    page.locator("#choose-coverage").set_input_files(film)
    expect(page.locator("#coverage .file-name")).to_have_text("报道.mp4")
    expect(page.locator(".transfer")).to_have_count(0)
    assert offsets == [0, MEGABYTE, 2 * MEGABYTE] and Material.objects.count() == 1


def test_offline_it_waits_and_goes_on_by_itself(plan: PlanStage, page: Page, folder: Path) -> None:
    film = written(folder, "报道.mp4", made.mp4(size=3 * MEGABYTE))
    offsets = cut_after(page, 1)
    page.locator("#choose-coverage").set_input_files(film)
    expect(row(page, "报道.mp4")).to_contain_text("连接中断，正在重试。已传")
    page.context.set_offline(True)
    page.unroute("**/uploads/*/")
    expect(row(page, "报道.mp4")).to_contain_text("网络中断，恢复后自动继续")
    assert not Material.objects.exists()
    page.context.set_offline(False)
    expect(page.locator("#coverage .file-name")).to_have_text("报道.mp4")
    assert offsets == sorted(offsets) and offsets.count(0) == 1


def test_pausing_and_giving_up(plan: PlanStage, page: Page, folder: Path) -> None:
    films = [written(folder, f"报道{n}.mp4", made.mp4(size=(3 + n) * MEGABYTE)) for n in (1, 2)]
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "PATCH" and route.request.headers["upload-offset"] != "0":
            held.append(route)
        else:
            route.continue_()

    page.route("**/uploads/*/", hold)
    page.locator("#choose-coverage").set_input_files(films)
    expect(row(page, "报道1.mp4")).to_contain_text("已传 1.0 / 4.0 MB")
    expect(row(page, "报道2.mp4")).to_contain_text("已传 1.0 / 5.0 MB")
    expect(page.locator("#transfer-sum")).to_contain_text(
        "还有 2 个文件在上传（2.0 / 9.0 MB），请不要关闭页面"
    )
    page.get_by_role("button", name="全部暂停").click()
    expect(row(page, "报道1.mp4")).to_contain_text("已暂停。已传 1.0 / 4.0 MB")
    page.unroute("**/uploads/*/")
    row(page, "报道2.mp4").get_by_role("button", name="取消").click()
    expect(row(page, "报道2.mp4")).to_have_count(0)
    row(page, "报道1.mp4").get_by_role("button", name="继续").click()
    expect(page.locator("#coverage .file-name")).to_have_text("报道1.mp4")
    page.wait_for_timeout(200)
    assert not Upload.objects.exists() and Material.objects.count() == 1


def test_an_unfinished_file_from_before_can_be_given_up(plan: PlanStage, page: Page, client: Any) -> None:
    client.force_login(plan.liaison.person)
    begun = announce(client, plan.harbin, "coverage", "旧.mp4", 5 * MEGABYTE)
    send(client, begun["Location"], 0, made.mp4(size=2 * MEGABYTE))
    page.reload()
    row(page, "旧.mp4").get_by_role("button", name="不要了").click()
    expect(row(page, "旧.mp4")).to_have_count(0)
    assert not Upload.objects.exists()


def test_logged_out_meanwhile_it_goes_on_after_the_next_log_in(
    plan: PlanStage, page: Page, folder: Path, live_server: Any
) -> None:
    film = written(folder, "报道.mp4", made.mp4(size=3 * MEGABYTE))
    offsets: list[int] = []

    def log_out_first(route: Route) -> None:
        if route.request.method == "PATCH":
            offsets.append(int(route.request.headers["upload-offset"]))
            if len(offsets) == 2:
                page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
        route.continue_()

    page.route("**/uploads/*/", log_out_first)
    page.locator("#choose-coverage").set_input_files(film)
    expect(page.locator("#bar")).to_contain_text("登录已过期")
    expect(row(page, "报道.mp4")).to_contain_text("重新登录后继续")
    page.get_by_role("button", name="已登录，继续上传").click()  # too early
    expect(page.locator("#bar")).to_be_visible()
    expect(row(page, "报道.mp4")).to_contain_text("重新登录后继续")
    page.context.add_cookies([session_cookie(plan.liaison.person, live_server.url)])  # type: ignore[list-item]
    page.get_by_role("button", name="已登录，继续上传").click()
    expect(page.locator("#coverage .file-name")).to_have_text("报道.mp4")
    expect(page.locator("#bar")).to_be_hidden()
    assert offsets == sorted(offsets) and offsets.count(0) == 1, "what had arrived was not sent again"


def test_archived_meanwhile_the_page_says_so(plan: PlanStage, page: Page, folder: Path) -> None:
    Delegation.objects.filter(pk=plan.first.pk).update(state="archived")
    page.locator("#choose-report").set_input_files(written(folder, "汇报.pdf", made.PDF))
    expect(row(page, "汇报.pdf")).to_contain_text("已归档，不能再改")
    Delegation.objects.filter(pk=plan.first.pk).update(state="locked")
    row(page, "汇报.pdf").get_by_role("button", name="重试").click()
    expect(page.locator("#report .file-name")).to_have_text("汇报.pdf")


def test_files_are_dropped_on_the_list_they_belong_to(plan: PlanStage, page: Page) -> None:
    drop = """([selector, name, text]) => {
      const data = new DataTransfer();
      data.items.add(new File([text], name, { type: "application/pdf" }));
      const target = document.querySelector(selector);
      for (const kind of ["dragover", "drop"]) {
        const event = new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true });
        target.dispatchEvent(event);
        if (kind === "dragover") window.marked = target.closest("[data-drop]")?.classList.contains("over");
        window.taken = event.defaultPrevented;
      }
    }"""
    page.evaluate(drop, ["#household .drop-line", "登记表.pdf", made.PDF.decode()])
    assert page.evaluate("window.marked")
    expect(page.locator("#household .file-name")).to_have_text("登记表.pdf")
    page.evaluate(drop, ["h1", "丢偏了.pdf", made.PDF.decode()])
    assert page.evaluate("window.taken"), "a file let go beside the lists does not replace the page"
    assert Material.objects.count() == 1 and not Upload.objects.exists()


def test_removing_asks_first(plan: PlanStage, page: Page, client: Any) -> None:
    client.force_login(plan.liaison.person)
    file_it(client, plan.harbin, "report", "汇报.pdf", made.PDF)
    page.reload()
    page.get_by_role("button", name="删除 汇报.pdf").click()
    expect(page.locator(".flash.success")).to_contain_text("已删除“汇报.pdf”")
    assert not Material.objects.exists()


@pytest.mark.parametrize("size", SIZES)
def test_the_page_fits_the_screen(
    plan: PlanStage, open_page: Open, complaints: list[str], folder: Path, client: Any, size: tuple[int, int]
) -> None:
    client.force_login(plan.liaison.person)
    for n in range(4):
        file_it(
            client,
            plan.harbin,
            "photo",
            f"IMG_20210105_1023{n}_很长的名字很长的名字很长的名字.jpg",
            photograph(n),
        )
    file_it(client, plan.harbin, "household", "困难职工" * 20 + ".docx", made.docx())
    link = {"url": "https://www.example.cn/" + "a" * 300, "title": "标题" * 40, "outlet": "工人报", "published_on": "2021-01-06"}  # fmt: skip
    client.post(reverse("add_link", args=[plan.harbin.pk]), link)
    url = reverse("materials", args=[plan.harbin.pk])
    page = watched(open_page(plan.liaison.person, url, viewport=size), complaints)
    page.locator("#choose-photo").set_input_files(written(folder, "很长的文件名" * 12 + ".heic", made.HEIC))
    expect(page.locator(".transfer.failed")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    page.locator(".photo-open").first.click()
    expect(page.locator("#viewer")).to_be_visible()
    box = page.locator("#viewer-image").bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= size[0]
    assert box["y"] >= 0 and box["y"] + box["height"] <= size[1]
