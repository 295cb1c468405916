from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fhir_gateway.conformance import report_folder
from fhir_gateway.errors import Refused
from tests.conformance import report_runs


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    report_folder.write(report_runs.run(), tmp_path / "deep" / "out")

    found = report_folder.outcomes(report_folder.read(tmp_path / "deep" / "out"))

    assert found["suite/script/pass"] == "pass"
    assert report_folder.failed_keys(tmp_path / "deep" / "out") == {
        "suite/script/fail",
        "suite/script/error",
    }


def test_two_scripts_of_one_name_both_have_their_report(tmp_path: Path) -> None:
    run = report_runs.run()
    twice = replace(run, scripts=(run.scripts[0], run.scripts[0]))

    assert len([n for n in report_folder.files(twice) if n.startswith("TestReport")]) == 2


def test_reports_of_an_earlier_run_go_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "TestReport-old.json").write_text("{}")
    (tmp_path / "mine.txt").write_text("keep")

    report_folder.write(report_runs.run(), tmp_path)

    assert not (tmp_path / "TestReport-old.json").exists()
    assert (tmp_path / "mine.txt").read_text() == "keep"


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b'{"version": 99}'])
def test_what_is_no_result_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "results.json").write_bytes(content)

    with pytest.raises(Refused, match=r"results\.json"):
        report_folder.read(tmp_path)
