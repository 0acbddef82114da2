"""The page says what the records say, opens without a network, and names what a reader must know."""

import csv
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from emotone import corpora
from emotone.corpora.base import Corpus
from emotone.errors import UsageError
from emotone.evaluation.adapted import adaptation
from emotone.evaluation.confidence import confidence_of
from emotone.evaluation.pool import pool_all
from emotone.evaluation.record import RunRecord, read_records
from emotone.report import page as report
from emotone.report.results import read_results
from emotone.report.view import boards
from emotone.report.words import percent, points

Make = Callable[..., RunRecord]


def build(records: Iterable[RunRecord], folder: Path, corpus: Corpus | None = None) -> Path:
    return report.build(read_results(records), folder, corpus=corpus)


class Page(HTMLParser):
    """A parsed page: every tag with its attributes, and the text."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.source = path.read_text(encoding="utf-8")
        self.folder = path.parent
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.hidden = 0
        self.feed(self.source)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.hidden += tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("style", "script")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words.append(data)


@pytest.fixture(scope="module")
def records(make_record: Make) -> list[RunRecord]:
    """Three systems under three protocols, two seeds."""
    systems = [
        {"system": "boucheta/cnn", "scheme": "merged7", "published": 0.725, "parameters": 1_500_000},
        {"system": "boucheta/knn", "scheme": "merged7", "published": 0.494, "epochs": 0, "parameters": None},
        {"system": "kakadiya/cnn", "published": 0.4618, "monitored": "test"},
    ]
    leaks = {"published": ("speakers are shared", "copies cross the split"), "clean": ("speakers are shared",)}
    return [
        make_record(**system, protocol=protocol, fold=fold, seed=seed, leaks=leaks.get(protocol, ()), accuracy=accuracy)
        for system in systems
        for protocol, accuracy in (("published", 0.7), ("clean", 0.6), ("luna5", 0.4))
        for fold in range(5 if protocol == "luna5" else 1)
        for seed in range(2)
    ]


@pytest.fixture(scope="module")
def page(records: list[RunRecord], tmp_path_factory: pytest.TempPathFactory) -> Page:
    return Page(build(records, tmp_path_factory.mktemp("report")))


def test_every_measured_number_stands_in_the_page(page: Page, records: list[RunRecord]) -> None:
    for pooled in pool_all(records):
        low, high = pooled.intervals["accuracy"]
        row = [pooled.metrics["accuracy"], low, high, pooled.metrics["uar"], pooled.metrics["weighted_f1"]]
        accuracy, low_said, high_said, uar, f1 = (re.escape(percent(value)) for value in row)
        system = re.escape(pooled.first.system)
        published = re.escape(percent(pooled.first.published.accuracy))
        line = rf"{system} {published} {accuracy} {low_said} to {high_said} [+−]?[\d.]+ {uar} {f1} 2 "
        assert len(re.findall(line, page.text)) == 1, f"{pooled.first.system}, {pooled.first.protocol}"


def test_confusion_matrices_are_the_records(page: Page, records: list[RunRecord]) -> None:
    titles = [attributes["title"] or "" for tag, attributes in page.tags if tag == "td" and "title" in attributes]
    for pooled in pool_all(records):
        for label, counts in zip(pooled.classes, pooled.confusion, strict=True):
            for other, count in zip(pooled.classes, counts, strict=True):
                if count:
                    assert f"{count} of {sum(counts)} {label} clips named {other}" in titles


def test_nothing_is_asked_of_any_server(page: Page) -> None:
    addresses = [
        (tag, name, value)
        for tag, attributes in page.tags
        for name, value in attributes.items()
        if name in ("src", "href", "xlink:href", "srcset", "data", "action", "poster") and value
    ]
    assert addresses
    for tag, name, value in addresses:
        outside = not value.startswith(("#", "data:", "figures/", "tables/"))
        assert not outside or (tag == "a" and name == "href"), (tag, name, value)
    assert "@import" not in page.source
    assert not re.search(r"url\((?!#|&quot;#)", page.source)
    assert not re.search(r"https?://", page.source)
    policy = next(a["content"] for tag, a in page.tags if tag == "meta" and a.get("http-equiv"))
    assert policy and policy.startswith("default-src 'none'")


def test_every_file_that_is_linked_exists(page: Page) -> None:
    linked = {
        value
        for _, attributes in page.tags
        for name, value in attributes.items()
        if name == "href" and value and value.startswith(("figures/", "tables/"))
    }
    assert {"figures/leaderboard.png", "tables/results.csv", "figures/confusion-kakadiya-cnn-clean.png"} <= linked
    for value in linked:
        assert (page.folder / value).stat().st_size > 100, value
    for value in (path for path in linked if path.endswith(".png")):
        assert (page.folder / value).read_bytes().startswith(b"\x89PNG")


def test_every_link_within_the_page_leads_somewhere_and_no_name_is_given_twice(page: Page) -> None:
    names = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
    assert len(names) == len(set(names))
    targets = {value for _, a in page.tags for key, value in a.items() if key in ("href", "xlink:href") and value}
    for target in (value for value in targets if value.startswith("#")):
        assert target[1:] in names


def test_leaks_are_named_with_their_systems(page: Page) -> None:
    assert re.search(r"L1 Speakers are shared As published: .* Clean split: ", page.text)
    assert "L2 Copies cross the split As published: " in page.text
    assert "Unseen speakers (luna5): boucheta" not in page.text[page.text.index("L1 Speakers") :][:400]


def test_the_watched_set_is_named(page: Page) -> None:
    assert "Solid: the test set itself , on which epochs were chosen." in page.text
    assert "Solid: validation set." in page.text
    assert "fitted in one step, without epochs" in page.text


def test_emotone_is_not_counted_as_a_paper(make_record: Make, tmp_path: Path) -> None:
    own, theirs = (make_record(system=system, protocol="luna5") for system in ("emotone/base", "boucheta/knn"))
    assert "2 systems, of one paper and emotone's own, trained" in Page(build([own, theirs], tmp_path)).text
    assert "One system, emotone's own, trained" in Page(build([own], tmp_path)).text


def test_seeds_and_presets_are_said(page: Page, make_record: Make, tmp_path: Path) -> None:
    assert "2 seeds each" in page.text
    assert "Quick preset" not in page.text
    quick = Page(build([make_record(preset="quick")], tmp_path))
    assert "one seed" in quick.text[:600]
    assert "Quick preset: fewer epochs, one seed; not a reproduction." in quick.text
    assert "emotone compare --preset paper reproduces" in quick.text


def test_a_synthetic_corpus_is_labelled_wherever_it_shows(make_record: Make, tmp_path: Path) -> None:
    page = Page(build([make_record(corpus="synthetic", synthetic=True)], tmp_path))
    assert "(synthetic)" in next(word for word in page.words if word.startswith("emotone report:"))
    assert "Synthetic corpus." in page.text
    article = page.text[page.text.index("System by system", 900) :]
    assert "synthetic corpus" in article
    with (tmp_path / "tables" / "results.csv").open(newline="") as file:
        assert [row["synthetic"] for row in csv.DictReader(file)] == ["True"]


def test_real_and_synthetic_results_are_kept_apart(make_record: Make, tmp_path: Path) -> None:
    page = Page(build([make_record(), make_record(corpus="synthetic", synthetic=True)], tmp_path))
    assert "The results marked synthetic are of computer-made voices" in page.text
    assert "computer-made voices (synthetic), paper preset" in page.text
    assert (tmp_path / "figures" / "leaderboard-synthetic-paper.png").is_file()


def test_names_are_escaped(make_record: Make, tmp_path: Path) -> None:
    record = make_record(
        system='my/<b>"net"</b>',
        title="<script>alert(1)</script>",
        rename={"sad": "<i>sad</i>"},
        leaks=("a <em>leak</em>",),
        corpus="R&D",
    )
    page = Page(build([record], tmp_path))
    assert "<script>alert" not in page.source
    assert '<b>"net"' not in page.source
    assert "<i>sad" not in page.source
    assert "<em>leak" not in page.source
    assert "<script>alert(1)</script>" in page.text
    assert "<i>sad</i>" in page.text


def test_tables_parse_back_to_the_records(page: Page, records: list[RunRecord]) -> None:
    def read(name: str) -> list[dict[str, str]]:
        with (page.folder / "tables" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    pooled = {(result.first.system, result.first.protocol): result for result in pool_all(records)}
    results = read("results")
    assert len(results) == len(pooled)
    for row in results:
        result = pooled[row["system"], row["protocol"]]
        assert float(row["accuracy"]) == result.metrics["accuracy"]
        assert (float(row["low"]), float(row["high"])) == result.intervals["accuracy"]
    assert {float(row["accuracy"]) for row in read("runs")} == {run.metrics["accuracy"] for run in records}
    assert len(read("history")) == sum(len(run.history) for run in records)
    confusion = read("confusion")
    assert sum(int(row["clips"]) for row in confusion) == sum(len(run.predictions.true) for run in records)
    women = next(row for row in read("slices") if (row["slice"], row["value"]) == ("gender", "female"))
    result = pooled[women["system"], women["protocol"]]
    predictions = result.predictions
    right = [
        t == p
        for t, p, g in zip(predictions.true, predictions.predicted, predictions.gender, strict=True)
        if g == "female"
    ]
    assert float(women["accuracy"]) == pytest.approx(sum(right) / len(right))


def test_a_sweep_cut_short_says_what_is_missing(make_record: Make, tmp_path: Path) -> None:
    page = Page(build([make_record(protocol="luna5", fold=2)], tmp_path))
    assert "4 runs missing" in page.text


def test_a_report_needs_runs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No runs"):
        build([], tmp_path)
    assert not list(tmp_path.iterdir())


def test_records_read_from_disk_give_the_same_page(records: list[RunRecord], page: Page, tmp_path: Path) -> None:
    for number, record in enumerate(records):
        record.write(tmp_path / "runs" / f"{number}.json")
    again = build(read_records(tmp_path / "runs"), tmp_path / "report")
    assert again.read_text(encoding="utf-8") == page.source


def test_the_recordings_are_drawn(ravdess: Path, make_record: Make, tmp_path: Path) -> None:
    corpus = corpora.load("ravdess", data=ravdess)
    two = tuple(utterance for utterance in corpus.utterances if utterance.speaker in ("01", "02"))
    page = Page(build([make_record()], tmp_path, corpus=replace(corpus, utterances=two)))
    for picture in ("distribution", "emotions", "genders", "augmentations", "noise", "preprocessing"):
        assert (tmp_path / "figures" / f"recordings-{picture}.png").stat().st_size > 10_000
        assert f'href="figures/recordings-{picture}.png"' in page.source
    assert page.source.count("data:image/png") == 8 + 4 + 2 + 2
    assert "120 clips of 2 speakers" in page.text


def test_a_recording_that_cannot_be_read_costs_its_picture_only(
    ravdess: Path, make_record: Make, tmp_path: Path
) -> None:
    corpus = corpora.load("ravdess", data=ravdess)
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"")
    utterances = tuple(
        replace(utterance, path=broken) if utterance.emotion == "sad" else utterance for utterance in corpus.utterances
    )
    some = Corpus(corpus.info, corpus.root, utterances[:60])
    page = Page(build([make_record()], tmp_path / "report", corpus=some))
    assert "broken.wav: the file is empty" in page.text
    assert (tmp_path / "report" / "figures" / "recordings-noise.png").is_file()


def test_clips_that_state_nothing_but_their_emotion_are_enough(make_record: Make, tmp_path: Path) -> None:
    record = make_record(published=None, corpus="mine")
    nothing = (None,) * len(record.predictions.true)
    bare = record.model_copy(
        update={
            "predictions": record.predictions.model_copy(
                update=dict.fromkeys(("speaker", "gender", "intensity", "statement"), nothing)
            ),
            "split": record.split.model_copy(
                update=dict.fromkeys(("train_speakers", "validation_speakers", "test_speakers"), ())
            ),
        }
    )
    page = Page(build([bare], tmp_path))
    assert "trained and tested again, one seed." in page.text
    assert "By emotion" in page.text
    assert "By speaker" not in page.text
    assert not re.search(r"Paper reports \d", page.text)


@pytest.mark.parametrize("between", ["/", ":"])
def test_speakers_of_two_corpora_are_counted_once_each_however_they_are_named(
    make_record: Make, tmp_path: Path, between: str
) -> None:
    one = make_record()
    split = one.split.model_copy(
        update={
            "train_speakers": tuple(f"ravdess{between}{name}" for name in one.split.train_speakers),
            "validation_speakers": (),
            "test_speakers": (f"savee{between}DC", f"savee{between}KL"),
        }
    )
    dropped = {"ravdess": {"calm": 192}, "savee": {"bored": 1}}
    cross = make_record(protocol="cross", corpus="ravdess-to-savee", split=split, dropped=dropped, leaks=())
    page = Page(build([one, cross], tmp_path))
    assert "recordings of 26 speakers" in page.text
    assert (
        "Left out, as the other corpus has no such class: calm (192 clips of RAVDESS); bored (one clip of SAVEE)."
        in page.text
    )
    assert "RAVDESS to SAVEE" in page.text and "Cross-corpus" in page.text


def test_confidence_is_shown_where_speakers_are_unseen(
    page: Page, records: list[RunRecord], make_record: Make, tmp_path: Path
) -> None:
    assert "figures/risk-coverage.png" in page.source
    for pooled in pool_all(records):
        confidence = confidence_of(pooled)
        assert confidence is not None
        wrong = 1 - pooled.metrics["accuracy"]
        numbers = (wrong, confidence.error, *confidence.answered(0.5))
        line = " ".join([pooled.first.system, *(percent(value) for value in numbers)])
        assert (line in page.text) == (pooled.first.protocol == "luna5")
    with (page.folder / "tables" / "risk_coverage.csv").open(newline="", encoding="utf-8") as file:
        last = {row["system"]: row for row in csv.DictReader(file)}
    for pooled in (each for each in pool_all(records) if each.first.protocol == "luna5"):
        row = last[pooled.first.system]
        assert float(row["coverage"]) == 1
        assert float(row["risk"]) == pytest.approx(1 - pooled.metrics["accuracy"])
    known = Page(build([make_record(protocol="clean")], tmp_path))
    assert 'id="confidence"' not in known.source and 'href="#confidence"' not in known.source


def test_adapted_results_have_a_table_of_their_own(page: Page, make_record: Make, tmp_path: Path) -> None:
    assert 'id="adapted"' not in page.source and 'href="#adapted"' not in page.source
    assert not (page.folder / "tables" / "adapted.csv").exists()
    runs = [make_record("emotone/base", "luna5", fold=fold, published=None, adapted=0.8) for fold in range(5)]
    shown = Page(build([*runs, make_record("a/net", "luna5")], tmp_path))
    pooled = next(each for each in pool_all(runs))
    found = adaptation(pooled)
    assert found is not None
    uar, accuracy = found.gain["uar"], found.gain["accuracy"]
    row = "Unseen speakers (luna5) emotone/base"
    for name, gain in (("uar", uar), ("accuracy", accuracy)):
        row += f" {percent(pooled.metrics[name])} {percent(found.pooled.metrics[name])}"
        row += f" {points(gain.value)} {points(gain.low)} to {points(gain.high)}"
    assert shown.text.count(row) == 1
    assert "adapted to the speaker by other, unlabelled clips" in shown.text
    assert percent(found.pooled.metrics["accuracy"]) != percent(pooled.metrics["accuracy"])
    before = shown.text[: shown.text.index("Adapted to the speaker The same systems")]
    assert f"emotone/base – {percent(pooled.metrics['accuracy'])} " in before, "the main table is of the plain result"
    with (tmp_path / "tables" / "adapted.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["metric"]: row for row in csv.DictReader(file)}
    assert float(rows["uar"]["adapted"]) == found.pooled.metrics["uar"]
    assert float(rows["uar"]["gain_low"]) == uar.low


def test_emotones_own_systems_are_always_among_the_curves(make_record: Make) -> None:
    runs = [make_record(f"a/{number}", "luna5", accuracy=0.4 + number / 20, fold=0) for number in range(6)]
    (board,) = boards(read_results([*runs, make_record("emotone/base", "luna5", accuracy=0.3)]))
    assert board.curves is not None
    protocol, drawn = board.curves
    assert protocol == "luna5"
    own, *others = (result.row.system for result in drawn)
    assert own == "emotone/base"
    assert len(others) == 4 and "a/0" not in others
