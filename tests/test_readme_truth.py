"""The tool that checks the README finds what is false, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest
import readme_truth

from stockcast import __version__

README = """\
# A title: with `code`

See [the data](data/README.md), [the title](#a-title-with-code) and [elsewhere](https://example.org/nothing).

```sh
make demo   # not a session
```

```console
$ stockcast --version
stockcast {version}

$ stockcast no-such-command
{error}
```
"""


@pytest.mark.parametrize(
    ("shown", "output"),
    [
        ("saved as 20261121T021500Z-3f9c2a1b in 12.3 s", "saved as 20270101T000000Z-00000000 in 9 s"),
        ("since 2026-11-21T02:15:00Z", "since 2027-01-01T00:00:00Z"),
        ("# begin stockcast-3f9c2a1b", "# begin stockcast-00000000"),
        ("step 1  RMSE 2.3456", "step 1 RMSE  2.3461"),
        ("p = 0.31", "p = 0.33"),
        ("close 1,202.91", "close 1,203.00"),
        ("────  ────", "───────  ──"),
    ],
)
def test_what_depends_on_the_machine_may_differ(shown: str, output: str) -> None:
    assert readme_truth.same_line(shown, output)


@pytest.mark.parametrize(
    ("shown", "output"),
    [
        ("step 1  RMSE 2.3456", "step 2  RMSE 2.3456"),
        ("step 1  RMSE 2.3456", "step 1  RMSE 2.3700"),
        ("step 1  RMSE 2.3456", "step 1  RMSE 2.35"),
        ("p = 0.31", "p = 0.34"),
        ("3270 rows", "3271 rows"),
        ("2013-03-04  202.95", "2013-03-05  202.95"),
        ("no evidence of skill", "evidence of skill"),
        ("change +0.12 %", "change -0.12 %"),
    ],
)
def test_what_is_false_is_found(shown: str, output: str) -> None:
    assert not readme_truth.same_line(shown, output)


def test_wrong_output_is_told_and_corrected(tmp_path: Path) -> None:
    text = README.format(version="9.9.9", error="It works!")
    printed = [(step, readme_truth.run(step.command, tmp_path)) for step in readme_truth.steps(text)]
    told = "\n".join(readme_truth.wrong_outputs(text, printed))
    assert "-stockcast 9.9.9" in told
    assert f"+stockcast {__version__}" in told
    assert "-It works!" in told
    corrected = readme_truth.corrected(text, printed)
    error = "\n".join(printed[1][1])
    assert error.startswith("Error: ")
    assert corrected == README.format(version=__version__, error=error)


def test_a_run_is_shown_without_this_machines_paths(tmp_path: Path) -> None:
    line = readme_truth.run("stockcast schedule", tmp_path)[1]
    assert " /path/to/stockcast/.venv/bin/python -P -m stockcast " in line
    assert line.endswith(" >> /path/to/prices/models/nightly.log 2>&1")


def test_a_command_that_is_not_run_is_refused() -> None:
    with pytest.raises(SystemExit, match=r"README\.md:3: 'rm -r data' is not run here"):
        readme_truth.steps("```console\n$ stockcast --version\n$ rm -r data\n```\n")


def test_links_must_lead_somewhere() -> None:
    assert list(readme_truth.broken_links(README)) == []
    broken = README.replace("data/README.md", "data/none.md").replace("#a-title", "#no-title")
    assert [fault.split()[4] for fault in readme_truth.broken_links(broken)] == ["data/none.md", "#no-title-with-code"]
