"""Evaluates the samples of a soak."""
import statistics

# The allowed memory growth from the warm-up to the end: a share of the mean, and at least so many
# bytes. The minimum of each half minute counts, because a heap's size fluctuates; the minimum shows
# the memory that is never freed.
GROWTH, LEAST_GROWTH, BREATH = 0.03, 4 << 20, 30
# How many times as long the honest client may wait in the last quarter as in the first.
SLOWDOWN = 1.5


def percentile(times, part):
    ordered = sorted(times)
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)] if ordered else 0.0


def slope(values):
    """Returns the growth per value, by least squares."""
    return statistics.linear_regression(range(len(values)), values).slope


def quarter(samples, number):
    """Returns all response times of the honest client in a quarter of the run."""
    length = len(samples) // 4
    part = samples[number * length:(number + 1) * length]
    return [each for sample in part for each in sample["times"]]


def judge(samples, before, after, tally, kept):
    """Yields the findings, each with whether it is acceptable.

    `before` and `after` are samples without load; up to `kept` descriptors may remain for reuse.
    """
    warm = samples[max(len(samples) // 6, min(60, len(samples) // 2)):]
    resident = [sample["resident"] for sample in warm]
    floor = [min(resident[start:start + BREATH]) for start in range(0, len(resident), BREATH)]
    growth = slope(floor) * len(floor) if len(floor) > 1 else 0
    mean = statistics.mean(resident)
    bound = max(GROWTH * mean, LEAST_GROWTH)
    yield growth <= bound, (f"memory: {mean / 2**20:.1f} MiB, {growth / 2**20:+.2f} MiB from the "
                            f"warm-up to the end; the limit is {bound / 2**20:.2f}")
    yield (after["descriptors"] <= before["descriptors"] + kept,
           f"descriptors: {before['descriptors']} before the load, {after['descriptors']} after "
           f"it, {max(s['descriptors'] for s in samples)} at most; {kept} may remain")
    yield (after["threads"] <= before["threads"] + 1,
           f"threads: {before['threads']} before the load, {after['threads']} after it")
    yield after["sessions"] == 0, f"sessions: {after['sessions']} left after the load"
    first, last = (percentile(quarter(samples, number), 0.99) * 1e3 for number in (0, 3))
    middle = [percentile(quarter(samples, number), 0.5) * 1e3 for number in (0, 3)]
    yield last <= SLOWDOWN * first, (
        f"p99 of the honest client: {first:.2f} ms in the first quarter, {last:.2f} ms in the "
        f"last, limit {SLOWDOWN} times as much (p50: {middle[0]:.2f} ms and {middle[1]:.2f} ms)")
    failed = sum(sample["failed"] for sample in samples)
    count = sum(len(sample["times"]) for sample in samples)
    yield failed == 0, f"the honest client: {count} answers, {failed} failures"
    wrong = {name: times for name, times in tally.items() if name.startswith("wrong")}
    for name, times in wrong.items():
        yield False, f"{name}, {times} times"
    yield not wrong, f"the other clients: {len(wrong)} kinds of wrong behavior"
