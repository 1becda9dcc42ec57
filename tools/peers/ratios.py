"""Medians, ratios of medians with their intervals, and means of ratios."""
import math
import random
import statistics

REPEATS = 1000
# A case counts as lost when its whole interval lies below this: three in a hundred are within what two
# builds of one program differ by.
LOST = 0.97


def pooled_median(rounds):
    return statistics.median([ms for samples in rounds for ms in samples])


def ratio_interval(ours, theirs, repeats=REPEATS, seed=1):
    """(ratio, low, high) of the medians, theirs over ours: above 1 ours is faster.

    95 % by bootstrap. Rounds are drawn first, the same for both, since what else runs on the machine
    changes from round to round and meets both; then samples within each round.
    """
    stream = random.Random(seed)
    ratios = []
    for _ in range(repeats):
        drawn = stream.choices(range(len(ours)), k=len(ours))
        medians = [pooled_median([stream.choices(side[r], k=len(side[r])) for r in drawn])
                   for side in (ours, theirs)]
        ratios.append(medians[1] / medians[0])
    ratios.sort()
    low, high = (ratios[min(repeats - 1, int(share * repeats))] for share in (0.025, 0.975))
    return pooled_median(theirs) / pooled_median(ours), low, high


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def best_peer(case):
    """Of the peers that were measured the fastest; None when there is none."""
    measured = [peer for peer in case["peers"] if peer.get("ms")]
    return min(measured, key=lambda peer: peer["ms"], default=None)


def summaries(cases):
    """Per suite: how many cases have a peer, the geometric mean of the ratios to each case's best peer,
    how many cases are lost to it."""
    suites = {}
    for case in cases:
        best = best_peer(case)
        if best:
            suites.setdefault(case["suite"], []).append(best)
    return [{"suite": suite, "cases": len(best), "ratio_to_best": geometric_mean([b["ratio"] for b in best]),
             "lost": sum(b["high"] < LOST for b in best)} for suite, best in suites.items()]
