"""What the demo says: lines with the time, figures, a chart."""
import time


class Story:
    def __init__(self):
        self.began = time.monotonic()

    def seconds(self):
        return time.monotonic() - self.began

    def say(self, text):
        print(f"  {self.seconds():6.2f} s  {text}", flush=True)


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else float("nan")


def chart(samples, columns=72, rows=6):
    """Lines that show samples of (second, depth); a depth of None: nobody answered, drawn as x on the time axis."""
    if not samples:
        return []
    first, last = samples[0][0], samples[-1][0]
    width = max(last - first, 1e-9) / columns
    slots = [[] for _ in range(columns)]
    for at, depth in samples:
        slots[min(columns - 1, int((at - first) / width))].append(depth)
    known = [max((d for d in slot if d is not None), default=None) for slot in slots]
    away = [any(d is None for d in slot) for slot in slots]
    for i in range(1, columns):  # a slot without a sample goes on as the one before it
        if not slots[i]:
            known[i], away[i] = known[i - 1], away[i - 1]
    top = max((k for k in known if k is not None), default=0) or 1
    lines = []
    for row in range(rows, 0, -1):
        bar = "".join("#" if k is not None and k * rows > top * (row - 1) and k > 0 else " " for k in known)
        lines.append(f"  {round(top * row / rows):6d} |{bar}".rstrip())
    lines.append("       0 +" + "".join("x" if a else "-" for a in away))
    lines.append(f"         {first:<6.1f}" + f"{last:.1f} s".rjust(columns - 6))
    return lines
