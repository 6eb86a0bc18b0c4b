"""Ratios with their uncertainty, and tables."""

import random
import statistics


def interval(ours, theirs):
    """The bootstrap 95 % interval of the ratio of the medians."""
    dice = random.Random(1)
    pick = lambda values: statistics.median(dice.choices(values, k=len(values)))
    ratios = sorted(pick(ours) / pick(theirs) for _ in range(2000))
    return ratios[50], ratios[1949]


def ratio(ours, theirs):
    """A ratio of medians, as text."""
    low, high = interval(ours, theirs)
    return f"{statistics.median(ours) / statistics.median(theirs):.2f} ({low:.2f} to {high:.2f})"


def table(rows):
    """The first row is the head."""
    head, *rest = rows
    return "".join("| " + " | ".join(row) + " |\n" for row in [head, ["---"] * len(head), *rest])
