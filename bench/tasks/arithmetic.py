"""Answers to the tasks that calculate, worked out again from their prompts alone, as a fixture.

    INSTA_UPDATE=always cargo test -p karat --lib task::oracle_tests::prompts
    python bench/tasks/arithmetic.py > crates/karat/src/task/fixtures/arithmetic.json

The first command writes the prompts that were drawn into a snapshot. Standard library only.
"""

import json
import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

SNAPSHOT = (
    "crates/karat/src/task/snapshots/"
    "karat__task__oracle_tests__prompts_are_the_ones_that_the_oracle_read.snap"
)


def numbers(prompt):
    """The decimal numbers of a prompt, in order; a comma between digits is a decimal mark."""
    return [Decimal(n.replace(",", ".")) for n in re.findall(r"\d+(?:[.,]\d+)?", prompt)]


def exact(prompt):
    quantity, price, discount, delivery = numbers(prompt)
    order = sum([price] * int(quantity), Decimal(0))
    return order - order * discount / Decimal(100) + delivery


def unit(prompt):
    values = numbers(prompt)
    if " km " in prompt:  # a rope: kilometres and metres, so many times
        big, small, count = values
        return count * (big * 1000 + small)
    if " kg " in prompt:  # a sack: kilograms and grams, so many times
        big, small, count = values
        return count * (big + small / 1000)
    if " min" in prompt:  # a machine: hours, minutes, seconds
        hours, minutes, seconds = values
        return Decimal(timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds)) // timedelta(seconds=1))
    big, count, small = values  # a tank: litres, so many times so many millilitres less
    return big - count * small / 1000


def day(prompt):
    year, month, of_month = map(int, re.search(r"(\d{4})-(\d{2})-(\d{2})", prompt).groups())
    days = int(re.search(r"\b(\d+) (?:days|dni|Tage|jours)\b", prompt).group(1))
    return (date(year, month, of_month) + timedelta(days=days)).isoformat()


def plain(answer):
    return answer if isinstance(answer, str) else f"{answer.normalize():f}"


SOLVE = {"exact_arithmetic": exact, "unit_arithmetic": unit, "date_arithmetic": day}

text = Path(SNAPSHOT).read_text(encoding="utf-8").split("\n---\n", 1)[1]
prompts = dict(json.loads(line) for line in text.splitlines() if line)
answers = {name: plain(SOLVE[name.split("/")[1]](prompt)) for name, prompt in prompts.items()}
print(json.dumps(answers, indent=0, ensure_ascii=False))
