"""LibreOffice at work, the way somebody in an office is: it opens a workbook, types, calculates anew and saves.

It is told in its own Basic, which comes with it everywhere, all at once: starting it takes longer than its work.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

# How it calls the kinds of files that it writes.
FILTERS = {
    ".xlsx": "Calc MS Excel 2007 XML",
    ".xls": "MS Excel 97",
    ".ods": "calc8",
    ".pdf": "calc_pdf_Export",
    ".html": "HTML (StarCalc)",
}
SECONDS = 120
_LIBRARIES = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE library:libraries PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "libraries.dtd">
<library:libraries xmlns:library="http://openoffice.org/2000/library">
 <library:library library:name="Standard" library:link="false"/>
</library:libraries>
"""
_LIBRARY = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE library:library PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "library.dtd">
<library:library xmlns:library="http://openoffice.org/2000/library" library:name="Standard">{elements}</library:library>
"""
_MODULE = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE script:module PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "module.dtd">
<script:module xmlns:script="http://openoffice.org/2000/script" script:name="Desk" script:language="StarBasic">{code}</script:module>
"""
# A profile that says it has been set up is left as it is, and spares the program a second start.
_SETTLED = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Setup/Office"><prop oor:name="ooSetupInstCompleted" oor:op="fuse"><value>true</value></prop></item>
</oor:items>
"""
_BASIC = """
Global book As Object
Global done As String

Function Setting(name As String, value)
  Dim made As New com.sun.star.beans.PropertyValue
  made.Name = name
  made.Value = value
  Setting = made
End Function

Sub OpenBook(url As String)
  book = StarDesktop.loadComponentFromURL(url, "_blank", 0, Array())
End Sub

Sub TypeInto(page As String, cell As String, text As String)
  Dispatch(".uno:GoToCell", "ToPoint", "$'" & page & "'." & cell)
  Dispatch(".uno:EnterString", "StringName", text)
End Sub

Sub Dispatch(order As String, name As String, value As String)
  keyboard = createUnoService("com.sun.star.frame.DispatchHelper")
  keyboard.executeDispatch(book.CurrentController.Frame, order, "", 0, Array(Setting(name, value)))
End Sub

Sub SaveAs(url As String, kind As String)
  book.storeToURL(url, Array(Setting("FilterName", kind)))
End Sub

Sub Tell(text As String)
  number = FreeFile()
  Open done For Output As #number
  Print #number, text
  Close #number
End Sub

Sub Work()
  done = {done}
  On Error GoTo Failed
{calls}
  Tell("done")
  StarDesktop.terminate()
  Exit Sub
Failed:
  Tell(Error$ & " in line " & Erl)
  StarDesktop.terminate()
End Sub

{parts}
"""
_AT_ONCE = 200  # a procedure may not be of any length


def program() -> str:
    """Where LibreOffice is. Skips the test on a machine without it, except where nothing may be skipped."""
    found = os.environ.get("SOFFICE") or shutil.which("soffice") or shutil.which("libreoffice")
    if found is None and os.environ.get("CI", "").lower() not in {"1", "true"}:
        pytest.skip("这项测试需要 LibreOffice：apt-get install libreoffice-calc")
    assert found, "CI 不允许少跑测试，须安装 LibreOffice：apt-get install libreoffice-calc"
    return found


class Office:
    """Orders, carried out in their order by `work()`: `open`, then whatever is to happen to that workbook, `close`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._orders: list[str] = []

    def open(self, path: Path) -> None:
        self._orders.append(f"OpenBook({_text(path.as_uri())})")

    def type(self, page: str, cell: str, text: str) -> None:
        """As at the keyboard: what looks like a number becomes one, and a locked cell stays as it is."""
        self._orders.append(f"TypeInto({_text(page)}, {_text(cell)}, {_text(text)})")

    def recalculate(self) -> None:
        """Every formula, whatever result stands beside it in the file."""
        self._orders.append("book.calculateAll()")

    def save(self, path: Path) -> Path:
        """A copy of what is open, of the kind that its name says."""
        self._orders.append(f"SaveAs({_text(path.as_uri())}, {_text(FILTERS[path.suffix])})")
        return path

    def close(self) -> None:
        self._orders.append("book.close(True)")

    def work(self) -> None:
        """One start of the program; it ends when everything is done, or says what was not."""
        done = self.folder / "office-done.txt"
        profile = self._profile(done)
        command = [program(), f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore"]
        subprocess.run(
            [*command, "macro:///Standard.Desk.Work"], check=True, capture_output=True, timeout=SECONDS
        )
        told = done.read_text().strip() if done.exists() else "nothing was done"
        assert told == "done", told
        self._orders = []

    def _profile(self, done: Path) -> Path:
        profile = self.folder / "office-profile"
        basic = profile / "user" / "basic"
        (basic / "Standard").mkdir(parents=True, exist_ok=True)
        (profile / "user" / "registrymodifications.xcu").write_text(_SETTLED)
        for kind in ("script", "dialog"):
            (basic / f"{kind}.xlc").write_text(_LIBRARIES)
        element = '<library:element library:name="Desk"/>'
        (basic / "Standard" / "script.xlb").write_text(_LIBRARY.format(elements=element))
        (basic / "Standard" / "dialog.xlb").write_text(_LIBRARY.format(elements=""))
        groups = [self._orders[at : at + _AT_ONCE] for at in range(0, len(self._orders), _AT_ONCE)]
        parts = [
            f"Sub Part{number}()\n" + "\n".join(f"  {order}" for order in group) + "\nEnd Sub\n"
            for number, group in enumerate(groups)
        ]
        code = _BASIC.format(
            done=_text(str(done)),
            calls="\n".join(f"  Part{number}()" for number in range(len(groups))),
            parts="\n".join(parts),
        )
        (basic / "Standard" / "Desk.xba").write_text(_MODULE.format(code=escape(code)), encoding="utf-8")
        return profile


def _text(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def convert(source: Path, kind: str, folder: Path) -> Path:
    """One workbook as another kind of file, in a folder of its own."""
    office = Office(folder)
    office.open(source)
    made = office.save(folder / f"{source.stem}.{kind}")
    office.close()
    office.work()
    return made
