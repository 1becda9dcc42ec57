#!/usr/bin/env python3
"""Fits the polynomials of src/ffn/kernels/cpu/vec_math.h and prints them with their errors.

Each fit is a Remez exchange in 60-digit arithmetic: the error times a weight is levelled at its extrema.
Coefficients are then rounded to f32 and the error is measured again, so the last number printed is the
error of the numbers in the header, evaluated exactly.

usage: fit_polynomials.py        (needs mpmath and numpy)
"""

import mpmath as mp
import numpy as np

mp.mp.dps = 60
GRID = 2000


def horner(coefficients, x):
    total = mp.mpf(0)
    for c in reversed(coefficients):
        total = total * x + c
    return total


def extrema(error, low, high, count):
    """The `count` places of alternating sign where |error| is largest on [low, high]."""
    xs = [low + (high - low) * (1 - mp.cos(mp.pi * i / GRID)) / 2 for i in range(GRID + 1)]
    es = [error(x) for x in xs]
    peaks = []
    for i, e in enumerate(es):
        left = abs(es[i - 1]) if i > 0 and mp.sign(es[i - 1]) == mp.sign(e) else 0
        right = abs(es[i + 1]) if i < GRID and mp.sign(es[i + 1]) == mp.sign(e) else 0
        if abs(e) < left or abs(e) < right:
            continue
        if peaks and mp.sign(es[peaks[-1]]) == mp.sign(e):
            if abs(e) > abs(es[peaks[-1]]):
                peaks[-1] = i
        else:
            peaks.append(i)
    while len(peaks) > count:  # drop the smaller end
        peaks.pop(0 if abs(es[peaks[0]]) < abs(es[peaks[-1]]) else -1)
    return [xs[i] for i in peaks]


def fit(f, weight, low, high, degree):
    """Minimises max |weight·(f − P)| on [low, high]. Returns (coefficients of P, largest error)."""
    low, high = mp.mpf(low), mp.mpf(high)
    count = degree + 2
    points = [low + (high - low) * (1 - mp.cos(mp.pi * i / (count - 1))) / 2 for i in range(count)]
    for _ in range(40):
        rows = [[x ** k for k in range(degree + 1)] + [(-1) ** i / weight(x)]
                for i, x in enumerate(points)]
        solution = mp.lu_solve(mp.matrix(rows), mp.matrix([f(x) for x in points]))
        p, level = list(solution[:degree + 1]), abs(solution[degree + 1])
        error = lambda x: weight(x) * (f(x) - horner(p, x))
        points = extrema(error, low, high, count)
        if len(points) < count:
            raise ArithmeticError(f"only {len(points)} extrema of {count}")
        largest = max(abs(error(x)) for x in points)
        if largest < level * (1 + mp.mpf("1e-4")):
            break
    return p, largest


def rounded(coefficients):
    return [mp.mpf(float(np.float32(float(c)))) for c in coefficients]


def largest_error(f, weight, low, high, p):
    xs = [mp.mpf(low) + (mp.mpf(high) - low) * i / 20000 for i in range(1, 20001)]
    return max(abs(weight(x) * (f(x) - horner(p, x))) for x in xs)


def show(name, f, weight, low, high, degree):
    p, error = fit(f, weight, low, high, degree)
    p = rounded(p)
    print(f"{name}: error {mp.nstr(error, 3)}, with f32 coefficients "
          f"{mp.nstr(largest_error(f, weight, low, high, p), 3)}")
    print("  " + ", ".join(f"{float(c):.9g}f" for c in p))


def main():
    # expm1(r) = r + r²·P(r): relative error of expm1 on |r| ≤ ln2/2. The quotient is continued over 0
    # by its series.
    end = mp.log(2) / 2 * mp.mpf("1.0001")
    tiny = mp.mpf("1e-15")
    quotient = lambda r: (mp.expm1(r) - r) / r ** 2 if abs(r) > tiny else mp.mpf(1) / 2 + r / 6
    weight = lambda r: abs(r ** 2 / mp.expm1(r)) if abs(r) > tiny else tiny
    show("expm1", quotient, weight, -end, end, 4)

    # 2^f = 1 + f·P(f): relative error of 2^f on |f| ≤ 1/2.
    slope = lambda f: (mp.power(2, f) - 1) / f if abs(f) > tiny else mp.log(2)
    show("(2^f - 1)/f", slope, lambda f: max(abs(f), tiny) / mp.power(2, f), mp.mpf("-0.5001"),
         mp.mpf("0.5001"), 4)

    # −log2(2Q(x)) = x·P(x) on [0, 6], where Q(x) = erfc(x/√2)/2 is the upper tail of the normal
    # distribution. An error δ of the logarithm is an error ln2·δ·Q of Q; the weight adds 0.5 % of δ
    # itself, which bounds the relative error of Q by 200 times the number printed. The leading coefficient
    # must come out positive: beyond 6 the polynomial then grows and the tail falls to 0, as it should.
    def log_tail(x):
        return -mp.log(mp.erfc(x / mp.sqrt(2)), 2) / x if x > tiny else mp.sqrt(2 / mp.pi) / mp.log(2)

    def log_tail_weight(x):
        return x * (mp.erfc(x / mp.sqrt(2)) + mp.mpf("0.005")) if x > tiny else tiny

    show("-log2(2Q(x))/x", log_tail, log_tail_weight, 0, 6, 9)

    # For results that are rounded to bf16: 2^f itself, relative error; the tail with a weight that bounds
    # the relative error of Q by ten times the number printed (ln2 included, seven).
    show("2^f, bf16", lambda f: mp.power(2, f), lambda f: 1 / mp.power(2, f), mp.mpf("-0.5001"), mp.mpf("0.5001"), 3)

    def rough_tail_weight(x):
        return x * (mp.erfc(x / mp.sqrt(2)) + mp.mpf("0.1")) if x > tiny else tiny

    show("-log2(2Q(x))/x, bf16", log_tail, rough_tail_weight, 0, 6, 5)


if __name__ == "__main__":
    main()
