"""Made figures (演示数据) of form 1 that pass its rules."""

from __future__ import annotations

from random import Random

GROUPS = range(1, 12)


def made_figures(kind: str, size: int, random: Random) -> dict[str, str]:
    """Texts to type into every cell that is not a total. `size` is roughly the thousands of people reached."""
    cells: dict[str, str] = {}
    given = 0
    for n in GROUPS:
        people = random.randint(size * 5, size * 90)
        # 300 to 1 500 元 a head, in whole 10 元; 万元 with three decimals
        tens = people * random.randint(30, 150)
        cells[f"C{n}"], cells[f"D{n}"] = str(people), _wanyuan(tens)
        given += tens
    shares = (30, 25, 15, 12)
    raised = given + given // 20
    for n, share in enumerate(shares, 1):
        cells[f"A{n}"] = _wanyuan(raised * share // 100)
    cells["A5"] = _wanyuan(raised - sum(raised * share // 100 for share in shares))
    cells["B"] = str(random.randint(2, 6) * size)
    for code in ("E1", "E2", "E3", "E4", "E5", "F1", "F2", "F3", "G"):
        cells[code] = str(random.randint(size * 10, size * 200))
    helped = random.randint(size, size * 20)
    cells["H"], cells["I"] = str(helped), _wanyuan(helped * random.randint(200, 900))
    medics = random.randint(size * 3, size * 30)
    cells["J1"], cells["J2"] = str(medics), _wanyuan(medics * random.randint(50, 200))
    return cells


def _wanyuan(tens_of_yuan: int) -> str:
    whole, rest = divmod(tens_of_yuan, 1000)
    return f"{whole}.{rest:03d}"
