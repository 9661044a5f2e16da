"""A summary's workbook as somebody chose it: asked for, made by a worker, kept.

An export is a row, like an aggregation run: whoever wants to work claims it with SKIP LOCKED, so that a killed worker
or a lost queue changes nothing. The same choice of the same summary is made once, whoever asks.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.core.files.base import ContentFile
from django.db import transaction

from reporting.aggregation import Progress
from reporting.clock import now
from reporting.errors import Refused, WrongState
from reporting.models import Export, Summary, export_path
from reporting.registry import all_forms, get_form
from reporting.summaries import Participant, participants_of
from unions.gate import Actor
from unions.models import Union

log = logging.getLogger(__name__)

State = Export.State
MAX_ATTEMPTS = 3
# Raised when the sheets of an export change: what was made before does not answer for what is asked now.
EDITION = 1
UNITS_ONLY, WITH_COUNTIES = "units", "all"
LEVELS = {UNITS_ONLY: "各市各产业", WITH_COUNTIES: "含县区"}
EVERY_UNIT, CHOSEN_UNITS = "all", "chosen"
_NOT_IN_A_NAME = re.compile(r'[\\/:*?"<>|\s\x00-\x1f]+')


@dataclass(frozen=True)
class Choice:
    """`unions`: codes in printed order, none for the whole province; `names`: what they were called for short."""

    forms: tuple[str, ...]
    unions: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    with_counties: bool = False
    cities: bool = False
    compared: Summary | None = None

    def as_wanted(self) -> dict[str, object]:
        return {
            "forms": list(self.forms),
            "unions": list(self.unions),
            "names": list(self.names),
            "level": WITH_COUNTIES if self.with_counties else UNITS_ONLY,
            "cities": self.cities,
        }

    def digest_in(self, summary: Summary) -> str:
        """What a thing is called may change, the thing stays the same: names are not in it."""
        content = {
            **self.as_wanted(),
            "names": [],
            "summary": summary.digest,
            "compared": self.compared.digest if self.compared else "",
            "edition": EDITION,
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def choice_of(export: Export) -> Choice:
    wanted = export.wanted
    return Choice(
        forms=tuple(wanted["forms"]),
        unions=tuple(wanted["unions"]),
        names=tuple(wanted["names"]),
        with_counties=wanted["level"] == WITH_COUNTIES,
        cities=wanted["cities"],
        compared=export.compared,
    )


def earlier_summary(summary: Summary) -> Summary | None:
    """The newest summary of the latest campaign before this one's that has any."""
    return (
        Summary.objects.filter(campaign__year__lt=summary.facts["year"])
        .exclude(campaign=summary.campaign_id)
        .select_related("campaign")
        .order_by("-campaign__year", "-number")
        .first()
    )


# -- what can be chosen ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Offer:
    """What a summary has to choose from. Costs three queries, however many units there are."""

    summary: Summary
    participants: Sequence[Participant]
    earlier: Summary | None

    @classmethod
    def of(cls, summary: Summary) -> Offer:
        return cls(summary, participants_of(summary), earlier_summary(summary))

    @cached_property
    def forms(self) -> dict[str, str]:
        """slug → title"""
        return {form.slug: form.title for form in all_forms() if form.slug in self.summary.sheets}

    @cached_property
    def short_names(self) -> dict[str, str]:
        """By code, in printed order; who is missing comes last."""
        unions = Union.objects.filter(code__in=[participant.code for participant in self.participants])
        short = {
            code: f"{name}本级" if parent is None else name
            for code, name, parent in unions.values_list("code", "short_name", "parent")
        }
        return {
            participant.code: short.get(participant.code, participant.name)
            for participant in self.participants
        }

    @property
    def included(self) -> set[str]:
        return {participant.code for participant in self.participants if participant.round}

    @property
    def has_counties(self) -> bool:
        """Whether anybody's figures contain anybody else's."""
        return any(participant.round and participant.round.includes for participant in self.participants)

    def choose(
        self,
        *,
        forms: Collection[str],
        whose: str,
        unions: Collection[str] = (),
        level: str = UNITS_ONLY,
        cities: bool = False,
        compare: bool = False,
    ) -> Choice:
        """What was ticked on the page, in the words of the page. Raises Refused with everything that is wrong."""
        wrong = []
        if strange := set(forms) - set(self.forms):
            wrong.append(f"这份汇总里没有报表{_quoted(strange)}，请刷新页面后重新选择。")
        elif not forms:
            wrong.append("还没有选报表，请至少勾选一张。")
        if whose not in (EVERY_UNIT, CHOSEN_UNITS):
            wrong.append("请选择全部单位，或者只选部分单位。")
        elif whose == CHOSEN_UNITS:
            wrong += self._wrong_unions(unions)
        if level not in LEVELS:
            wrong.append("请选择层级：各市各产业，或者含县区。")
        if compare and self.earlier is None:
            wrong.append("没有以前年度的汇总可以比较，请去掉“比较”后再生成。")
        if wrong:
            raise Refused(*wrong)
        chosen = [code for code in self.short_names if code in unions] if whose == CHOSEN_UNITS else []
        if self.included <= set(chosen):
            chosen = []  # everybody who counts: that is the province
        return Choice(
            forms=tuple(slug for slug in self.forms if slug in forms),
            unions=tuple(chosen),
            names=tuple(self.short_names[code] for code in chosen),
            with_counties=level == WITH_COUNTIES,
            cities=cities,
            compared=self.earlier if compare else None,
        )

    def _wrong_unions(self, unions: Collection[str]) -> list[str]:
        if not unions:
            return ["还没有选单位，请至少勾选一个，或者改选“全部单位”。"]
        if strange := set(unions) - set(self.short_names):
            return [f"这份汇总里没有单位{_quoted(strange)}，请刷新页面后重新选择。"]
        if not self.included & set(unions):
            return ["所选单位都没有纳入这份汇总，没有可以导出的数字，请另选单位。"]
        return []


def _quoted(strange: Collection[str]) -> str:
    first, *more = sorted(strange)
    return f"“{first[:20]}”" + (f"等 {len(more) + 1} 个" if more else "")


# -- in words ----------------------------------------------------------------------------------------------


def in_words(summary: Summary, choice: Choice) -> list[str]:
    """What was chosen, as short phrases: for the list and the page of the progress."""
    words = ["全部报表" if set(choice.forms) == set(summary.sheets) else _titles(choice), "全部单位"]
    if choice.unions:
        many = len(choice.names)
        words[1] = "、".join(choice.names[:3]) + (f"等 {many} 个单位" if many > 3 else "")
    words += [LEVELS[WITH_COUNTIES]] if choice.with_counties else []
    words += ["各市分表"] if choice.cities else []
    if choice.compared:
        words.append(f"与{choice.compared.facts['year']}年第 {choice.compared.number} 号汇总比较")
    return words


def _titles(choice: Choice) -> str:
    return "、".join(get_form(slug).title for slug in choice.forms)


def file_name(summary: Summary, choice: Choice) -> str:
    """2021年送温暖统计汇总_第1号_哈尔滨等3个单位_含县区.xlsx"""
    pieces = [f"{summary.facts['year']}年送温暖统计汇总", f"第{summary.number}号"]
    if set(choice.forms) != set(summary.sheets):
        pieces.append(_titles(choice))
    if not choice.unions:
        pieces.append("全省")
    elif len(choice.unions) == 1:
        pieces.append(choice.names[0])
    else:
        pieces.append(f"{choice.names[0]}等{len(choice.names)}个单位")
    pieces += ["含县区"] if choice.with_counties else []
    pieces += ["各市分表"] if choice.cities else []
    pieces += [f"与{choice.compared.facts['year']}年比较"] if choice.compared else []
    return "_".join(_NOT_IN_A_NAME.sub("", piece) for piece in pieces) + ".xlsx"


# -- asking for one ----------------------------------------------------------------------------------------


@transaction.atomic
def request_export(*, summary: Summary, choice: Choice, by: Actor) -> Export:
    """The export of that choice: made before, on its way, or from now on waiting for a worker."""
    by.require_here("see_summary")
    export, is_new = Export.objects.get_or_create(
        summary=summary,
        digest=choice.digest_in(summary),
        defaults={
            "wanted": choice.as_wanted(),
            "compared": choice.compared,
            "requested_by": by.person,
            "requested_at": now(),
        },
    )
    if not is_new:
        export = Export.objects.select_for_update().get(pk=export.pk)
        if export.state == State.FAILED or (export.state == State.DONE and not _is_stored(export)):
            _begin_anew(export, by)
    return export


def _is_stored(export: Export) -> bool:
    return bool(export.file.name) and export.file.storage.exists(str(export.file.name))


@transaction.atomic
def try_again(*, export: Export, by: Actor) -> Export:
    """One that was given up waits for a worker again. Raises WrongState for any other."""
    by.require_here("see_summary")
    export = Export.objects.select_for_update().get(pk=export.pk)
    if export.state != State.FAILED:
        raise WrongState(f"这份导出{export.get_state_display()}，不必再试。")
    _begin_anew(export, by)
    return export


def _begin_anew(export: Export, by: Actor) -> None:
    """From here on whoever asks now answers for it."""
    export.state, export.attempts, export.error, export.finished_at = State.WAITING, 0, "", None
    export.file, export.size = "", 0
    export.requested_by, export.requested_at = by.person, now()
    export.save()


# -- making one --------------------------------------------------------------------------------------------


def work_off_one(progress_of: Callable[[Export], Progress], besides: Collection[int] = ()) -> Export | None:
    """Claim one waiting export and make it; None when none waits but `besides` (ids), or others have claimed all.

    The file is stored before the row says done, and does not stay where the row can't say so.
    """
    export: Export | None = None
    try:
        with transaction.atomic():
            export = (
                Export.objects.select_for_update(skip_locked=True, of=("self",))
                .select_related("summary__campaign", "compared__campaign")
                .filter(state=State.WAITING)
                .exclude(pk__in=besides)
                # One that failed before goes last: it must not keep the others waiting.
                .order_by("attempts", "id")
                .first()
            )
            if export is not None:
                _attempt(export, progress_of(export))
                export.save()
        return export
    except BaseException:
        if export is not None:
            _forget_file(export)
        raise


def _attempt(export: Export, progress: Progress) -> None:
    export.attempts += 1
    try:
        with transaction.atomic():
            _make(export, progress)
        export.state, export.error = State.DONE, ""
    except Exception as error:
        # Whatever it is: an attempt that left no trace would be repeated for ever. Left waiting, so that the next
        # minute tries again; given up after a few. A lost connection makes the save fail too, and the row waits.
        log.exception("export %s failed", export.pk)
        _forget_file(export)
        export.error = f"{type(error).__name__}: {error}"[:300]
        if export.attempts >= MAX_ATTEMPTS:
            export.state = State.FAILED
    export.finished_at = now()


def _make(export: Export, progress: Progress) -> None:
    from reporting.workbooks.export import export_workbook  # openpyxl takes its time and memory

    content = export_workbook(export.summary, choice_of(export), progress)
    # A worker that was killed at this point once may have left the file behind.
    export.file.storage.delete(export_path(export, ""))
    export.file.save("summary.xlsx", ContentFile(content), save=False)
    export.size = len(content)


def _forget_file(export: Export) -> None:
    if export.file.name:
        export.file.storage.delete(export.file.name)
    export.file, export.size = "", 0
