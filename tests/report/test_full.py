"""A page with full runs opens with what they say, and has each run's full-length twin beside it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from emotone.errors import UsageError
from emotone.evaluation.pool import pool_all
from emotone.evaluation.record import RunRecord
from emotone.report import page as report
from emotone.report.full import BEYOND, Full, on_all, rank, read_full
from emotone.report.full_said import said
from emotone.report.heard import Clip, Heard, Span, ticks
from emotone.report.leaderboard import read_leaderboard
from emotone.report.results import read_results
from emotone.report.words import percent

from .test_page import Page

Make = Callable[..., RunRecord]
RESULTS = Path(__file__).parents[2] / "results"


@pytest.fixture(scope="module")
def records(make_record: Make) -> list[RunRecord]:
    """A paper's system under three protocols, another without the clean one, emotone's own on unseen speakers."""
    shares = {"published": 0.9, "clean": 0.6, "luna5": 0.4}
    runs = [
        make_record(system, protocol, accuracy=accuracy, fold=fold)
        for system in ("kakadiya/cnn", "onah/cnn")
        for protocol, accuracy in shares.items()
        for fold in range(5 if protocol == "luna5" else 1)
        if (system, protocol) != ("onah/cnn", "clean")
    ]
    own = [make_record("emotone/base", "luna5", accuracy=0.7, fold=fold, published=None) for fold in range(5)]
    return [*runs, *own, _crossed(make_record("kakadiya/cnn", "cross", corpus="ravdess-to-emodb", accuracy=0.2))]


def _crossed(run: RunRecord) -> RunRecord:
    clips = tuple(f"emodb/{clip}" for clip in run.predictions.clip)
    return run.model_copy(update={"predictions": run.predictions.model_copy(update={"clip": clips})})


@pytest.fixture(scope="module")
def full(records: list[RunRecord], make_record: Make, tmp_path_factory: pytest.TempPathFactory) -> Full:
    folder = tmp_path_factory.mktemp("full")
    for number, record in enumerate(records):
        place = folder / "cross" if record.protocol == "cross" else folder
        record.write(place / "runs" / f"{number}.json")
    make_record("onah/lstm", preset="quick").write(folder / "runs" / "quick.json")
    many = _crossed(make_record("emotone/probe", "cross", corpus="ravdess+nemo-to-emodb", accuracy=0.55))
    many.write(folder / "shipped" / "runs" / "emodb.json")
    return read_full(folder)


@pytest.fixture(scope="module")
def page(full: Full, make_record: Make, tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page of three quick runs, of which one has no twin."""
    systems = ("kakadiya/cnn", "onah/cnn", "onah/lstm")
    results = read_results(make_record(system, preset="quick", accuracy=0.3) for system in systems)
    return Page(report.build(results, tmp_path_factory.mktemp("report"), full=full))


def test_the_shipped_model_is_told_of_only_where_it_ran_on_all_the_corpora(full: Full) -> None:
    assert [each.tested for each in on_all(full.shipped, {"emodb"})] == ["emodb"]
    assert on_all(full.shipped, {"emodb", "tess"}) == [] and on_all(full.crossings, {"ravdess"}) == []


def test_the_page_opens_with_the_full_runs_and_says_their_numbers(
    page: Page, full: Full, records: list[RunRecord]
) -> None:
    text = page.text[page.text.index("What full runs say The same system") :]
    opening, rest = text.split("Run on this machine", 1)
    told = {(each.first.system, each.first.protocol): each for each in pool_all(records)}
    published, clean, unseen = (
        percent(told["kakadiya/cnn", name].metrics["accuracy"]) for name in ("published", "clean", "luna5")
    )
    assert f"kakadiya/cnn recognises {published} % of the clips as published, {clean} % on a clean" in opening
    assert f"and {unseen} % of speakers it has never heard (luna5)." in opening
    own = told["emotone/base", "luna5"]
    low, high = (percent(value) for value in own.intervals["accuracy"])
    rate = percent(own.metrics["accuracy"])
    assert f"emotone/base (A model) recognises {rate} % [{low}, {high}] of the clips (one seed)." in opening
    beyond = percent(told["kakadiya/cnn", "cross"].metrics["accuracy"])
    assert f"kakadiya/cnn, recognises {beyond} % of the clips (one seed)." in opening
    assert f"kakadiya/cnn {published} {clean} {unseen} {beyond} " in opening
    (many,) = full.of_many
    assert f"trained on RAVDESS and nEMO but for the tested one, recognises {percent(many.accuracy)} % (one" in opening
    assert "The CNN beats the CNN and LSTM" not in opening, "no run is about this claim"
    assert "onah/lstm" not in opening, "what is quick is no full run"
    assert "Quick preset: fewer epochs" in rest
    names = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
    assert len(names) == len(set(names))
    assert {a["href"][1:] for tag, a in page.tags if tag == "a" and (a.get("href") or "").startswith("#")} <= {*names}


def test_each_run_has_its_full_length_twin_beside_it(page: Page, full: Full) -> None:
    table = page.text[page.text.index("The numbers System") :]
    twins = {result.row.system: result.row for result in full.board.of("published")}
    for system in ("kakadiya/cnn", "onah/cnn"):
        twin = twins[system]
        said_so = f"{percent(twin.accuracy)} {percent(twin.low)} to {percent(twin.high)}"
        assert re.search(rf"{system} [\d.]+ [\d.]+ [\d.]+ to [\d.]+ {re.escape(said_so)} ", table)
    assert re.search(r"onah/lstm [\d.]+ [\d.]+ [\d.]+ to [\d.]+ – ", table)


def test_a_page_without_full_runs_has_nothing_of_them(make_record: Make, tmp_path: Path) -> None:
    page = Page(report.build(read_results([make_record()]), tmp_path))
    assert 'id="full"' not in page.source and 'id="run"' not in page.source and "twin" not in page.text


def test_the_projects_own_full_runs_say_what_the_leaderboard_says() -> None:
    full = read_full(RESULTS)
    entries = {(each.system, each.protocol): each for each in read_leaderboard(RESULTS / "leaderboard.json")}
    for system, told in full.told.items():
        for step, protocol in (("as published", "published"), ("clean split", "clean"), ("unseen speakers", "luna5")):
            if step in told:
                accuracy = entries[system, protocol].accuracy
                assert accuracy and told[step] == pytest.approx(accuracy.mean, abs=1e-6)
    assert full.stairs and all(len(told) > 1 for told in full.stairs.values())
    assert any(BEYOND in told for name, told in full.stairs.items() if name.startswith("emotone/"))
    sentences = dict(said(full))
    papers, own = rank({name: told["unseen speakers"] for name, told in full.told.items() if "unseen speakers" in told})
    text = next(text for about, text in sentences.items() if about.startswith("Speakers never heard"))
    assert f"of the papers' {len(papers)} systems" in text
    for name, share in (next(iter(papers.items())), next(iter(own.items()))):
        assert name in text and f"{percent(share)}\u00a0%" in text


def test_a_folder_without_full_runs_is_refused(make_record: Make, tmp_path: Path) -> None:
    make_record(preset="quick").write(tmp_path / "runs" / "quick.json")
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UsageError, match="no full runs"):
            read_full(folder)


def test_answers_and_timelines_are_shown_and_can_be_read_aloud(make_record: Make, tmp_path: Path) -> None:
    spans = (Span(0, 0.8, "silence", 0), Span(0.8, 2.5, "angry", 0.93), Span(2.5, 3.6, "silence", 0))
    clips = (
        Clip("Actor_01/x", "01", "angry", "angry", 0.93, 3.6, spans),
        Clip("Actor_02/<b>", "02", "sad", "no speech", 0, 1.0, (Span(0, 1.0, "silence", 0),)),
    )
    heard = Heard("emotone/large", ("ravdess",), False, clips)
    assert list(ticks(heard)) == [0, 1, 2, 3, 4]
    page = Page(report.build(read_results([make_record(epochs=0)]), tmp_path, heard=heard))
    assert "A demonstration, no test. The model was trained on RAVDESS" in page.text
    assert "Actor_01/x stated: angry , speaker 01 angry 93 %" in page.text
    assert "Actor_02/<b> stated: sad , speaker 02 no speech" in page.text
    labels = [a["aria-label"] or "" for _, a in page.tags if a.get("aria-label")]
    assert "Timeline: 0.0 to 0.8 s silence; 0.8 to 2.5 s angry, 93\u00a0%; 2.5 to 3.6 s silence" in labels
    assert "--a:20.0;--b:62.5;--tone:var(--vermilion)" in page.source
