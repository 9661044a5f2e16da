"""Workbooks as unions send them, and as nobody should: made by a script, with what is expected of each.

    SONGWENNUAN_ENV=test .venv/bin/python -m tests.workbooks FOLDER     writes them all, to be opened by hand

A `Case` makes its workbook as bytes. A good one knows every figure that must be read and where it stands; a bad one
knows the sentence it must be refused with. No workbook is committed.
"""
