#!/usr/bin/env python3
# Checks that the benchmarks save their results, read them again and draw them.
import pathlib
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "Benchmarks"))

from harness import chart, contest, proxies, saving  # noqa: E402

NAMESPACE = "{http://www.w3.org/2000/svg}"
COSTS = {"verypolld": 4.0, "c-copy": 3.6, "haproxy": 6.5, "nginx": 8.25, "socket-proxyd": 20.0}


def results(unit_factor, costs, latency=None):
    def run(cost):
        latencies = {name: latency and latency * cost for name in contest.QUANTILES}
        return contest.Run(requests=1000, seconds=1, cpu=1000 * cost / unit_factor,
                           latencies=latencies, errors=0, load=0.5, noise=0, sent=1000, delay=1)

    found = {name: contest.Result(runs=[run(cost * factor) for factor in (0.9, 1, 1.3)])
             for name, cost in costs.items()}
    found["broken"] = contest.Result(runs=[], note="refuses connections")
    return found


class ChartTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.file = self.folder / "results.json"
        for name, connections in (("own", 64), ("1m", 8)):
            scenario = proxies.PROXY[name]
            factor = scenario.cost_unit[1]
            saving.add(self.file, scenario, connections, None, results(factor, COSTS))
        latency = proxies.LATENCY["latency"]
        costs = {"verypolld": 5, "direct": 1}
        saving.add(self.file, latency, 64, 10000, results(1e6, costs, latency=10))

    def texts(self, path):
        tree = ElementTree.parse(path)
        return [each.text for each in tree.iter(f"{NAMESPACE}text")]

    def widths(self, path):
        tree = ElementTree.parse(path)
        bars = [each for each in tree.iter(f"{NAMESPACE}rect") if each.get("height") == "14"]
        return [float(each.get("width")) for each in bars]

    def test_saved_numbers_are_those_measured(self):
        cells = {chart.name_of(cell): cell for cell in saving.load(self.file)}
        self.assertEqual(set(cells), {"own/64", "1m/8", "latency/64/10000"})
        for actual, cost in zip(cells["own/64"]["servers"]["verypolld"]["cost"], (3.6, 4, 5.2)):
            self.assertAlmostEqual(actual, cost)
        latencies = cells["latency/64/10000"]["servers"]["verypolld"]["slice_p99"]
        self.assertAlmostEqual(latencies[1], 50)
        self.assertNotIn("p50", cells["own/64"]["servers"]["verypolld"])

    def test_a_later_measurement_takes_the_place_of_an_earlier_one(self):
        scenario = proxies.PROXY["own"]
        saving.add(self.file, scenario, 64, None, results(1e6, {"verypolld": 1}))
        cells = [cell for cell in saving.load(self.file) if cell["scenario"] == "own"]
        self.assertEqual(len(cells), 1)
        self.assertAlmostEqual(cells[0]["servers"]["verypolld"]["cost"][1], 1)

    def test_the_chart_names_servers_numbers_and_the_better_direction(self):
        paths = chart.write(saving.load(self.file), self.folder / "chart")
        self.assertEqual([path.name for path in paths], ["chart-light.svg", "chart-dark.svg"])
        for path in paths:
            texts = self.texts(path)
            for words in ("Messages of 64 bytes", "Responses of 1 MiB", "verypolld", "8.25",
                          "CPU time in µs for each request, lower is better",
                          "CPU time in s for each GB, lower is better",
                          "Latency at 10,000 messages/s", "no proxy",
                          "99th percentile in µs, lower is better"):
                self.assertIn(words, texts)
            self.assertNotIn("broken", texts)
            self.assertTrue(any(each.startswith("Medians of 3 rounds. ") for each in texts))

    def test_bars_are_in_proportion_to_medians(self):
        paths = chart.write(saving.load(self.file), self.folder / "chart", ["own/64:cost"])
        widths = self.widths(paths[0])
        self.assertEqual(len(widths), len(COSTS))
        for width, cost in zip(widths, COSTS.values()):
            self.assertAlmostEqual(width / widths[0], cost / 4, places=2)

    def test_a_panel_that_was_not_measured_is_an_error_if_it_is_named(self):
        with self.assertRaisesRegex(RuntimeError, "http/64:cost was not measured"):
            chart.write(saving.load(self.file), self.folder / "chart", ["http/64:cost"])

    def test_the_command_draws_saved_results_without_measuring(self):
        command = [sys.executable, ROOT / "Benchmarks/run", "saved", "--save", self.file,
                   "--chart", self.folder / "drawn", "--servers", "verypolld,nginx"]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        self.assertNotIn("haproxy", self.texts(self.folder / "drawn-dark.svg"))

    def test_ticks_are_round_and_few(self):
        for largest in (0.0003, 0.07, 1, 5.9, 6.1, 99, 1234, 987654):
            step = chart.step_of(largest)
            self.assertTrue(2 <= largest / step <= 6, (largest, step))


if __name__ == "__main__":
    unittest.main()
