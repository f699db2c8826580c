#!/usr/bin/env python3
"""Opens a report in a real browser as a reader does: sorts tables with mouse and keyboard, switches axes, prints.

Usage: report_in_browser.py ANALYSIS [--keep FOLDER]   (the folder gets the page, pictures and the printed PDF)
Exit code 77 where there is no Chromium.
"""
import argparse
import csv
import re
import sys
import tempfile
import unittest
from pathlib import Path
from subprocess import run

from browser import Browser, find_chromium

NUM_TRIALS = 30
MISSING = (3, 9)  # trials without a score
arguments: argparse.Namespace


def write_runs(file: Path) -> None:
    """Models of two patch sizes, more than a legend holds beside the plot; some have no score."""
    with file.open("w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["depth", "width", "heads", "patch", "steps", "seed", "remark", "step", "fid", "loss", "seconds"])
        for i in range(NUM_TRIALS):
            depth, width, patch = 4 + 2 * (i % 2), 32 * (1 + i // 2 % 5), 7 if i < 15 else 4
            gflops = depth * width**2 * (28 / patch) ** 2 * 12 / 1e9
            for k in range(1, 6):
                fid = (3 + 40 * gflops**-0.3) * (5 / k) ** 0.2 * (1 + 0.01 * (i * 7 % 5 - 2))
                rows.writerow([depth, width, 4, patch, 1500, i % 3, f"a rather long remark on run {i} of this study",
                               300 * k, "" if i in MISSING else f"{fid:.4f}", f"{0.1 + 0.3 / k**0.5:.4f}", 1000 + 10 * i])


COLUMN = """name => { const table = document.querySelector('table');
  const at = [...table.tHead.rows[0].cells].findIndex(cell => cell.textContent === name);
  return [...table.tBodies[0].rows].map(row => row.cells[at].textContent); }"""
HEAD = "[...document.querySelectorAll('th')].find(cell => cell.textContent === '{}')"
BOX = """selector => [...document.querySelectorAll(selector)].map(element => {
  const box = element.getBoundingClientRect(); return [box.left, box.top, box.right, box.bottom]; })"""


def number(text: str) -> float | None:
    return None if text == "–" else float(text.replace(",", ""))


def overlap(one: list[float], other: list[float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = tempfile.TemporaryDirectory()
        cls.work = Path(arguments.keep or cls.folder.name)
        cls.work.mkdir(parents=True, exist_ok=True)
        database, runs = cls.work / "results.db", cls.work / "runs.csv"
        database.unlink(missing_ok=True)
        write_runs(runs)
        for command in (["import", runs, "--db", database, "--settings", "features=fashion_cnn"],
                        ["report", "--db", database, "--out", cls.work / "report.html"]):
            run([arguments.analysis, *command], check=True, capture_output=True)
        cls.browser = Browser(find_chromium())
        cls.browser.open(cls.work / "report.html")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.browser.__exit__()
        cls.folder.cleanup()

    def column(self, name: str) -> list[str]:
        return self.browser.value(f"({COLUMN})('{name}')")

    def boxes(self, selector: str) -> list[list[float]]:
        return self.browser.value(f"({BOX})('{selector}')")

    def test_a_opens_without_network_or_complaint(self) -> None:
        self.assertEqual(self.browser.errors(), [])
        self.assertEqual([url for url in self.browser.requests() if not url.startswith(("file:", "data:"))], [])
        self.assertGreaterEqual(len(self.boxes(".plot svg.main-svg")), 8)
        self.browser.picture(self.work / "page.png")

    def test_a_numbers_keep_their_digits(self) -> None:
        shown = sorted(number(text) for text in self.column("seconds"))
        self.assertEqual(shown, [1000 + 10 * i for i in range(NUM_TRIALS)])

    def test_b_a_click_sorts_by_number_and_another_turns_it_round(self) -> None:
        self.browser.click(HEAD.format("fid"))
        rising = [number(text) for text in self.column("fid")]
        scores = [value for value in rising if value is not None]
        self.assertEqual(len(scores), NUM_TRIALS - len(MISSING))
        self.assertEqual(scores, sorted(scores))
        self.assertEqual(rising[len(scores):], [None] * len(MISSING))
        self.browser.click(HEAD.format("fid"))
        falling = [number(text) for text in self.column("fid")]
        self.assertEqual(falling, scores[::-1] + [None] * len(MISSING))

    def test_c_the_keyboard_sorts_too(self) -> None:
        self.browser.value(HEAD.format("parameters") + ".focus()")
        self.browser.press("Enter")
        parameters = [number(text) for text in self.column("parameters")]
        self.assertEqual(parameters, sorted(parameters))
        self.assertEqual(self.browser.value(HEAD.format("parameters") + ".getAttribute('aria-sort')"), "ascending")

    def test_d_a_button_switches_an_axis(self) -> None:
        figure = "document.querySelector('.figure')"
        before = self.browser.value(f"{figure}.querySelector('.plot').layout.xaxis.type")
        self.browser.click(f"{figure}.querySelector('.tools button')")
        after = self.browser.value(f"{figure}.querySelector('.plot').layout.xaxis.type")
        self.assertEqual({before, after}, {"log", "linear"})

    def test_e_the_mode_bar_covers_no_legend(self) -> None:
        for bar in self.boxes(".modebar"):
            for legend in self.boxes(".plot g.legend"):
                self.assertFalse(overlap(bar, legend), f"{bar} covers {legend}")

    def test_f_paper_has_every_name_and_no_buttons(self) -> None:
        self.browser.call("Emulation.setEmulatedMedia", media="print")
        self.browser.value("window.dispatchEvent(new Event('beforeprint'))")
        self.assertEqual(self.boxes(".modebar-container")[0], [0, 0, 0, 0])
        plots = self.browser.value(
            "[...document.querySelectorAll('.plot')].map(plot => { const box = plot.getBoundingClientRect();"
            "return [...plot.querySelectorAll('.legendtext')].map(text => { const own = text.getBoundingClientRect();"
            "return own.left >= box.left && own.right <= box.right && own.bottom <= box.bottom && own.width > 0; }); })")
        self.assertGreaterEqual(max(len(names) for names in plots), 24)
        self.assertTrue(all(all(names) for names in plots), plots)
        self.assertEqual(self.browser.value("document.querySelectorAll('.legend .scrollbar').length > 0 &&"
                                            "[...document.querySelectorAll('.legend .scrollbar')]"
                                            ".some(bar => bar.getBoundingClientRect().height > 0)"), False)
        self.browser.value("window.dispatchEvent(new Event('afterprint'))")
        self.browser.call("Emulation.setEmulatedMedia", media="")
        self.browser.paper(self.work / "paper.pdf")
        pages = len(re.findall(rb"/Type\s*/Page\b", (self.work / "paper.pdf").read_bytes()))
        self.assertLess(pages, 12)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("analysis", help="the program")
    parser.add_argument("--keep", help="folder to leave everything in")
    arguments = parser.parse_args()
    if find_chromium() is None:
        print("report_in_browser: skipped, there is no Chromium (apt-get install chromium)")
        sys.exit(77)
    unittest.main(argv=[sys.argv[0]], verbosity=2)
