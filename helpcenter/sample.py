"""Made figures (演示数据) of form 2 that pass its rules."""

from __future__ import annotations

from random import Random


def made_figures(kind: str, size: int, random: Random) -> dict[str, str]:
    """Texts to type into every cell that is not a total. `size` is roughly the thousands of people helped."""
    level = {"province": 1, "city": 2, "industry": 2}.get(kind, 3)
    cells = {code: "0" for code in ("A1", "A2", "A3")}
    cells[f"A{level}"] = "1"
    if kind == "city":
        cells["A3"] = str(random.randint(4, 14))
    for n in (1, 2, 3):
        centres = int(cells[f"A{n}"])
        for m in (1, 2, 3):
            cells[f"B{n}{m}"] = str(random.randint(1, 4) * centres)
    cells["C"] = str(random.randint(5, 40) * size)
    stations = random.randint(8, 60) * size
    cells["D"], cells["D1"] = str(stations), str(stations // 3)
    for n in range(1, 6):
        cells[f"E{n}"] = f"{random.randint(3, 90) * size}.{random.randint(0, 99):02d}"
    for n in range(1, 8):
        people = random.randint(2, 60) * size
        cells[f"F{n}"] = str(people)
        cells[f"G{n}"] = f"{people * random.randint(3, 28) / 100:.2f}"
    for n in range(1, 5):
        cells[f"H{n}"] = str(random.randint(1, 30) * size)
    cells["I"] = "是" if random.random() < 0.8 else "否"
    cells["J"] = f"{random.randint(1, 60) * size}.{random.randint(0, 9)}" if cells["I"] == "是" else "0"
    cells["K1"], cells["K2"] = (str(random.randint(5, 80) * size) for _ in range(2))
    cells["L"], cells["M"] = (f"{random.randint(1, 20) * size}.{random.randint(0, 99):02d}" for _ in range(2))
    return cells
