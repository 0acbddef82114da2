"""Every kind of leak is silent where there is none, and found and named where it is put in."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePosixPath

import pytest

from emotone import recipes
from emotone.audit import Finding, Sounds, Split, find, leaks_of, of_fold, of_manifest, promises_unseen_speakers
from emotone.comparison.cross import join
from emotone.corpora.base import Corpus, Utterance
from emotone.corpora.manifest import read_manifest
from emotone.corpora.ravdess import expected, parse
from emotone.corpora.registry import get_source
from emotone.emotions import get_scheme
from emotone.errors import CorpusError
from emotone.protocols import ACROSS, PROTOCOLS, Fold, Sample, make_folds
from emotone.recipes.schema import Recipe

RAVDESS = [
    Utterance(Path("no audio is read"), "ravdess", name, **parse(PurePosixPath(f"{name}.wav"))) for name in expected()
]
RECIPES = [recipes.load(name) for name in recipes.names()]


def folds_of(recipe: Recipe, protocol: str, seed: int = 0) -> list[Fold]:
    scheme = get_scheme(recipe.scheme)
    labels = [scheme.to_label(clip.emotion, clip.gender) for clip in RAVDESS]
    return make_folds(recipe, protocol, RAVDESS, labels, seed=seed)


def found(
    folds: Iterable[Fold], utterances: list[Utterance] = RAVDESS, sounds: Sounds | None = None, *, unseen: bool = False
) -> dict[str, Finding]:
    splits = [of_fold(fold, utterances) for fold in folds]
    sounds = sounds or Sounds([clip.clip for clip in utterances], [])
    return {finding.kind: finding for finding in find(splits, utterances, sounds, unseen_speakers=unseen)}


@cache
def found_in_ravdess(folds: tuple[Fold, ...], *, unseen: bool) -> dict[str, Finding]:
    """Many systems are split alike."""
    return found(folds, unseen=unseen)


def leaks(findings: dict[str, Finding]) -> set[str]:
    return {kind for kind, finding in findings.items() if finding.severity == "leak"}


def people(count: int) -> list[Utterance]:
    """Two takes of two sentences by each of some speakers."""
    return [
        Utterance(Path("no audio is read"), "mine", f"{who}-{sentence}-{take}", "sad", speaker=f"s{who}",
                  statement=sentence, repetition=take)
        for who in range(count)
        for sentence in ("kids", "dogs")
        for take in (1, 2)
    ]  # fmt: skip


def fold(train: Iterable[int], test: Iterable[int], validation: Iterable[int] = (), monitor: str = "none") -> Fold:
    sides = (tuple(Sample(clip) for clip in clips) for clips in (train, validation, test))
    return Fold(0, 1, *sides, monitor)


@pytest.mark.parametrize("protocol", [protocol for protocol in PROTOCOLS if protocol not in ACROSS])
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.id)
def test_each_system_leaks_what_its_paper_leaks_and_nothing_under_the_other_protocols(
    recipe: Recipe, protocol: str
) -> None:
    folds = folds_of(recipe, protocol)
    findings = found_in_ravdess(tuple(folds), unseen=promises_unseen_speakers(protocol))
    expected_leaks = set()
    if protocol == "published" and recipe.id.startswith(("boucheta/", "bhanbhro/")):
        expected_leaks = {"kin"}
    if protocol == "published" and recipe.id.startswith("kakadiya/") and recipe.training:
        expected_leaks = {"chosen-on-test"}
    assert leaks(findings) == expected_leaks
    assert ("speakers" in findings) == (not promises_unseen_speakers(protocol))
    assert findings["statements"].count == findings["statements"].of
    for one in folds:
        assert bool(leaks_of(one)) == bool(expected_leaks), "what a run's record says"


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.id)
def test_nothing_is_found_between_two_corpora(recipe: Recipe) -> None:
    """Though both have a speaker 03."""
    emodb = get_source("emodb")
    names = [
        f"{who}{sentence}{emotion}a" for who in ("03", "08") for sentence in ("a01", "b02") for emotion in "WAFTEN"
    ]
    other = [Utterance(Path("none"), "emodb", name, **emodb.parse(PurePosixPath(f"{name}.wav"))) for name in names]
    joined = join(
        Corpus(get_source("ravdess").info, Path("ravdess"), tuple(RAVDESS)),
        [Corpus(emodb.info, Path("emodb"), tuple(other))],
    )
    scheme = get_scheme(recipe.scheme)
    labels = [scheme.to_label(clip.emotion, clip.gender) for clip in joined.utterances]
    folds = make_folds(recipe, "cross", joined.utterances, labels, seed=0, tested=joined.tested)
    assert promises_unseen_speakers("cross")
    assert found(folds, list(joined.utterances), unseen=True) == {}
    assert [leaks_of(fold) for fold in folds] == [()]


def test_kin_names_the_copy_and_its_recording() -> None:
    clips = people(2)
    clean = fold([0, 1], [4, 5])
    assert "kin" not in found([clean], clips)
    leaking = replace(clean, train=(*clean.train, Sample(4, "noise")))
    finding = found([leaking], clips)["kin"]
    assert (finding.severity, finding.count, finding.of) == ("leak", 1, 2)
    assert [(case.test, case.seen, case.side) for case in finding.cases] == [("1-kids-1", "1-kids-1 (noise)", "train")]
    finding = found([replace(clean, validation=(Sample(5, "pitch"),))], clips)["kin"]
    assert finding.cases[0].side == "validation"


def test_speakers_are_a_leak_where_the_protocol_promises_others() -> None:
    clips = people(2)
    apart, shared = fold([0, 1], [4, 5]), fold([0, 1, 4], [2, 5])
    assert "speakers" not in found([apart], clips, unseen=True)
    promised = found([shared], clips, unseen=True)["speakers"]
    assert (promised.severity, promised.count, promised.of) == ("leak", 2, 2)
    assert [case.test for case in promised.cases] == ["speaker s0", "speaker s1"]
    assert [case.seen for case in promised.cases] == ["0-kids-1", "1-kids-1"]
    assert found([shared], clips)["speakers"].severity == "note"


def test_a_speaker_that_is_not_stated_is_said() -> None:
    clips = [*people(1), *(replace(clip, speaker=None) for clip in people(1))]
    assert "unknown-speakers" not in found([fold([0, 1], [2, 3])], clips)
    finding = found([fold([0, 1], [2, 4])], clips)["unknown-speakers"]
    assert (finding.count, finding.of) == (1, 4)


def test_the_same_samples_on_both_sides() -> None:
    clips = people(2)
    sounds = Sounds([*"abcdefg", "b"], [])  # the last is clip 1 again
    assert not leaks(found([fold([0, 2], [5, 7])], clips, sounds))
    finding = found([fold([0, 1], [5, 7])], clips, sounds)["identical"]
    assert [(case.test, case.seen) for case in finding.cases] == [("1-dogs-2", "0-kids-2")]
    assert "near-identical" not in found([fold([0, 1], [5, 7])], clips, sounds)


def test_a_near_copy_is_found_through_the_recording_it_was_made_of() -> None:
    clips = people(2)
    sounds = Sounds([*"abcdefgh"], [(1, 7, 0.9), (7, 6, 0.8)])
    assert not leaks(found([fold([0, 2], [6, 7])], clips, sounds))
    finding = found([fold([0, 1], [6, 7])], clips, sounds)["near-identical"]
    assert [(case.test, case.seen, case.similarity) for case in finding.cases] == [
        ("1-dogs-1", "0-kids-2", None),
        ("1-dogs-2", "0-kids-2", 0.9),
    ]


def test_epochs_chosen_on_test() -> None:
    clips = people(2)
    assert "chosen-on-test" not in found([fold([0], [4], [1], "validation")], clips)
    assert found([fold([0], [4], [1], "test")], clips)["chosen-on-test"].severity == "leak"


def test_statements_and_other_takes_are_notes() -> None:
    clips = people(2)
    assert not found([fold([0, 1], [6, 7])], clips)
    other_speaker = found([fold([0], [5])], clips)
    assert set(other_speaker) == {"statements"} and other_speaker["statements"].severity == "note"
    other_take = found([fold([0], [1])], clips)["repetitions"]
    assert other_take.severity == "note"
    assert [(case.test, case.seen) for case in other_take.cases] == [("0-kids-2", "0-kids-1")]


def test_folds_are_summed_and_cases_say_which() -> None:
    clips = people(2)
    finding = found([fold([0], [1]), replace(fold([1], [0]), index=1)], clips)["repetitions"]
    assert (finding.count, finding.of) == (2, 2)
    assert [case.fold for case in finding.cases] == [1, 2]


def manifest(folder: Path, *rows: str, columns: str = "file,emotion,speaker,split,parent") -> Path:
    path = folder / "splits.csv"
    path.write_text("\n".join([columns, *rows]) + "\n", encoding="utf-8")
    return path


def split_of(path: Path) -> tuple[Split, list[Utterance]]:
    corpus = read_manifest(path)
    return of_manifest(path, corpus), list(corpus.utterances)


def test_a_manifest_tells_kin_by_their_parent(tmp_path: Path) -> None:
    rows = ("a.wav,sad,s1,train,", "b.wav,sad,s2,validation,", "c.wav,sad,s3,test,")
    split, clips = split_of(manifest(tmp_path, *rows))
    sounds = Sounds([clip.clip for clip in clips], [])
    assert find([split], clips, sounds, unseen_speakers=True) == []
    copies_ = ("a1.wav,sad,s1,train,a.wav", "x/a2.wav,sad,s1,test,a1.wav", "q1.wav,sad,s4,train,gone.wav",
               "q2.wav,sad,s5,test,gone.wav")  # fmt: skip
    split, clips = split_of(manifest(tmp_path, *rows, *copies_))
    sounds = Sounds([clip.clip for clip in clips], [])
    kin = next(finding for finding in find([split], clips, sounds, unseen_speakers=False) if finding.kind == "kin")
    assert [(case.test, case.seen) for case in kin.cases] == [("q2", "q1"), ("x/a2", "a")]


def test_parents_in_a_circle_are_kin_all_the_same(tmp_path: Path) -> None:
    rows = ("a.wav,sad,s1,train,b.wav", "b.wav,sad,s1,test,a.wav", "c.wav,sad,s1,test,a.wav")
    split, clips = split_of(manifest(tmp_path, *rows))
    findings = find([split], clips, Sounds(["a", "b", "c"], []), unseen_speakers=False)
    assert next(finding.count for finding in findings if finding.kind == "kin") == 2


def test_a_manifest_without_validation_says_what_that_means(tmp_path: Path) -> None:
    split, clips = split_of(manifest(tmp_path, "a.wav,sad,s1,train,", "b.wav,sad,s2,test,"))
    kinds = [finding.kind for finding in find([split], clips, Sounds(["a", "b"], []), unseen_speakers=True)]
    assert kinds == ["no-validation"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (("a.wav,sad,s1,dev,",), "split is 'dev' for a. Valid: train, validation, test"),
        (("a.wav,sad,s1,train,",), "no file's split is 'test'"),
        (("a.wav,sad,s1,test,",), "no file's split is 'train'"),
    ],
)
def test_a_split_that_is_none_is_refused(tmp_path: Path, rows: tuple[str, ...], words: str) -> None:
    with pytest.raises(CorpusError, match=words) as caught:
        split_of(manifest(tmp_path, *rows))
    assert "splits.csv" in str(caught.value)


def test_a_manifest_needs_the_column(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="column 'split' is missing"):
        split_of(manifest(tmp_path, "a.wav,sad,s1", columns="file,emotion,speaker"))


def test_a_recording_in_two_corpora_is_named_wherever_it_stands() -> None:
    mine = people(2)
    yours = [replace(clip, corpus="yours", clip=f"yours/{clip.clip}") for clip in mine]
    both = [*mine, *yours]
    twins = Sounds([*map(str, range(8)), "0", *map(str, range(101, 108))], [(1, 9, 0.97)])
    left_out = found([fold([10, 11, 12], [0, 1, 2, 3])], both, twins)["two-corpora"]
    assert (left_out.severity, left_out.count, left_out.of) == ("note", 2, 4)
    assert [(case.test, case.seen, case.similarity) for case in left_out.cases] == [
        (mine[0].clip, yours[0].clip, 1.0),
        (mine[1].clip, yours[1].clip, 0.97),
    ]
    seen = found([fold([8, 9, 10], [0, 1, 2, 3])], both, twins)
    assert "two-corpora" not in seen
    assert {"identical", "near-identical"} <= leaks(seen)
    assert "two-corpora" not in found([fold([2, 3], [0])], mine, Sounds(["0", "0", "2", "3"], []))
