"""Splits have the papers' sizes, share no sample, and leak what they say and nothing else."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotone import recipes
from emotone.audit import leaks_of
from emotone.augment import ORIGINAL
from emotone.comparison.cross import join
from emotone.corpora import emodb, nemo, ravdess
from emotone.corpora.base import Corpus, Utterance
from emotone.corpora.together import together
from emotone.emotions import EMOTIONS, get_scheme
from emotone.errors import ProtocolError, UsageError
from emotone.protocols import (
    ACROSS,
    EMOBOX6,
    LUNA5,
    PROTOCOLS,
    Fold,
    Sample,
    asked,
    classes_of,
    comparable,
    each_fold,
    make_folds,
    untested_fold,
)
from emotone.protocols.task import Task
from emotone.recipes.schema import Recipe, SplitConfig

RECIPES = [recipe for recipe in map(recipes.load, recipes.names()) if not recipe.needs_weights]
UNSEEN = {"luna5": 5, "emobox6": 6, "loso": 24}
OF_ONE_CORPUS = [protocol for protocol in PROTOCOLS if protocol not in ACROSS]


def actor_clips(actor: int) -> list[Utterance]:
    """An actor's 60 clips, as RAVDESS has them: neutral has no strong intensity."""
    return [
        Utterance(
            path=Path("no audio is read"),
            corpus="ravdess",
            clip=f"Actor_{actor:02d}/03-01-{number:02d}-{strength:02d}-{statement:02d}-{take:02d}-{actor:02d}",
            emotion=emotion,
            speaker=f"{actor:02d}",
            gender="male" if actor % 2 else "female",
            intensity=("normal", "strong")[strength - 1],
            statement=f"{statement:02d}",
            repetition=take,
        )
        for number, emotion in enumerate(EMOTIONS, start=1)
        for strength in ((1,) if emotion == "neutral" else (1, 2))
        for statement in (1, 2)
        for take in (1, 2)
    ]


RAVDESS = [clip for actor in range(1, 25) for clip in actor_clips(actor)]


def labels_of(recipe: Recipe, utterances: Sequence[Utterance]) -> list[str]:
    scheme = get_scheme(recipe.scheme)
    labels = [scheme.to_label(utterance.emotion, utterance.gender) for utterance in utterances]
    return comparable([utterance.corpus for utterance in utterances], labels)


def split(
    name: str | Recipe,
    protocol: str,
    utterances: Sequence[Utterance] = RAVDESS,
    *,
    seed: int = 0,
    digests: Sequence[str] = (),
    tested: Sequence[str] = (),
) -> list[Fold]:
    recipe = recipes.load(name) if isinstance(name, str) else name
    labels = labels_of(recipe, utterances)
    return make_folds(recipe, protocol, utterances, labels, seed=seed, digests=digests, tested=tested)


def sizes(fold: Fold) -> tuple[int, int, int]:
    return len(fold.train), len(fold.validation), len(fold.test)


def clips(samples: Sequence[Sample]) -> set[int]:
    return {sample.clip for sample in samples}


def speakers(samples: Sequence[Sample]) -> set[str | None]:
    return {RAVDESS[sample.clip].speaker for sample in samples}


def test_the_fabricated_corpus_is_the_size_of_ravdess() -> None:
    assert len(RAVDESS) == 1440 == len({clip.clip for clip in RAVDESS})


@pytest.mark.parametrize(
    ("name", "protocol", "expected"),
    [
        ("nguyen/cnn-lstm", "published", (1008, 216, 216)),
        ("nguyen/cnn-lstm", "clean", (1008, 216, 216)),
        ("nguyen/cnn-lstm-augmented", "published", (1008, 216, 216)),  # copies replace the clips
        ("onah/cnn", "published", (1152, 0, 288)),
        ("onah/cnn", "clean", (1008, 144, 288)),
        ("boucheta/cnn", "published", (4608, 1152, 1440)),  # 7,200 variants of 1,440 clips
        ("boucheta/cnn", "clean", (5 * 921, 231, 288)),
        ("boucheta/knn", "published", (5760, 0, 1440)),
        ("boucheta/knn", "clean", (5 * 1152, 0, 288)),
        ("kakadiya/cnn-lstm", "published", (1152, 0, 288)),
        ("kakadiya/cnn-lstm", "clean", (1008, 144, 288)),
        ("bhanbhro/cnn-lstm", "published", (3 * 1154 + 2 * 286, 143, 143)),  # two noisy copies of every clip
        ("bhanbhro/cnn-lstm", "clean", (3 * 1154, 143, 143)),
    ],
)
def test_splits_have_the_papers_sizes(name: str, protocol: str, expected: tuple[int, int, int]) -> None:
    (fold,) = split(name, protocol)
    assert sizes(fold) == expected


def test_the_test_set_is_stratified() -> None:
    recipe = recipes.load("kakadiya/cnn")
    (fold,) = split(recipe, "published")
    count = Counter(RAVDESS[sample.clip].emotion for sample in fold.test)
    assert count["neutral"] in (19, 20)  # 96 of 1,440 clips, a fifth of them
    assert all(count[emotion] in (38, 39) for emotion in EMOTIONS if emotion != "neutral")


@pytest.mark.parametrize("protocol", OF_ONE_CORPUS)
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.id)
def test_every_split_of_every_system_is_sound(recipe: Recipe, protocol: str) -> None:
    labels = labels_of(recipe, RAVDESS)
    for fold in split(recipe, protocol, seed=3):
        train, validation, test = map(set, (fold.train, fold.validation, fold.test))
        assert sum(sizes(fold)) == len(train | validation | test), "a sample stands in two sets, or twice in one"
        assert {labels[sample.clip] for sample in train} == set(labels)
        assert test and (validation or fold.monitor != "validation")
        if protocol == "published":
            continue
        assert fold.monitor == ("validation" if recipe.training else "none")
        assert {sample.variant for sample in validation | test} <= {ORIGINAL}
        assert not clips(fold.train) & clips(fold.test), "kin of a test clip is trained on"
        assert not clips(fold.train) & clips(fold.validation)
        assert clips(fold.train) | clips(fold.validation) | clips(fold.test) == set(range(1440))


def test_clean_leaves_the_twin_of_a_tested_clip_out_of_training_and_published_does_not() -> None:
    recipe = recipes.load("onah/cnn-lstm")
    (plain,) = split(recipe, "clean")
    tested, trained, validated = plain.test[0].clip, plain.train[0].clip, plain.validation[0].clip
    digests = [str(clip) for clip in range(len(RAVDESS))]
    digests[trained] = digests[validated] = digests[tested]
    (fold,) = split(recipe, "clean", digests=digests)
    assert fold.test == plain.test
    assert clips(plain.train) - clips(fold.train) == {trained}
    assert clips(plain.validation) - clips(fold.validation) == {validated}
    assert split(recipe, "published", digests=digests) == split(recipe, "published")
    assert leaks_of(fold, digests) == leaks_of(plain) == ()
    assert [leak for leak in leaks_of(plain, digests) if "one recording twice" in leak]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.id)
def test_published_names_its_leaks(recipe: Recipe) -> None:
    (fold,) = split(recipe, "published")
    kin = clips(fold.train) & clips(fold.test)
    leaks = leaks_of(fold)
    about_copies = [leak for leak in leaks if "copies" in leak]
    about_epochs = [leak for leak in leaks if "epochs" in leak]
    assert bool(kin) == bool(about_copies) == recipe.id.startswith(("boucheta/", "bhanbhro/"))
    assert bool(about_epochs) == (fold.monitor == "test") == recipe.id.startswith("kakadiya/")
    assert len(leaks) == len(about_copies) + len(about_epochs)


def test_boucheta_splits_variants_as_if_they_were_clips() -> None:
    (fold,) = split("boucheta/cnn", "published")
    everything = (*fold.train, *fold.validation, *fold.test)
    assert set(everything) == {
        Sample(clip, variant) for clip in range(1440) for variant in (ORIGINAL, "noise", "shift", "stretch", "pitch")
    }
    tested_with_kin_in_training = [sample for sample in fold.test if sample.clip in clips(fold.train)]
    assert len(tested_with_kin_in_training) > 1400
    assert len({sample.variant for sample in fold.test}) == 5


def test_bhanbhro_trains_on_noisy_copies_of_test_clips() -> None:
    (fold,) = split("bhanbhro/cnn-bilstm-attention", "published")
    of_test = [sample for sample in fold.train if sample.clip in clips(fold.test)]
    assert sorted(of_test) == sorted(Sample(c, variant) for c in clips(fold.test) for variant in ("awgn-1", "awgn-2"))
    assert {sample.variant for sample in fold.test + fold.validation} == {ORIGINAL}


def test_copies_replace_the_clips_where_the_recipe_says_so() -> None:
    (fold,) = split("nguyen/cnn-lstm-augmented", "published")
    assert {sample.variant for sample in fold.train} == {"chain-1"}
    assert {sample.variant for sample in fold.validation + fold.test} == {ORIGINAL}


def test_bhanbhro_tests_on_later_recordings() -> None:
    (fold,) = split("bhanbhro/cnn-lstm", "clean")
    takes = {name: [RAVDESS[sample.clip].repetition for sample in getattr(fold, name)] for name in ("train", "test")}
    assert set(takes["test"]) == {2}
    assert {RAVDESS[clip].repetition for clip in clips(fold.validation)} == {2}
    first = {index for index, clip in enumerate(RAVDESS) if clip.repetition == 1}
    assert first <= clips(fold.train)
    assert split("bhanbhro/cnn-lstm", "clean", seed=1) != [fold]


@pytest.mark.parametrize("protocol", UNSEEN)
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.id)
def test_no_speaker_is_shared_and_every_clip_is_tested_once(recipe: Recipe, protocol: str) -> None:
    folds = split(recipe, protocol, seed=1)
    assert [fold.index for fold in folds] == list(range(UNSEEN[protocol]))
    assert {fold.of for fold in folds} == {UNSEEN[protocol]}
    for fold in folds:
        assert not speakers(fold.train) & speakers(fold.test)
        assert not speakers(fold.validation) & (speakers(fold.train) | speakers(fold.test))
        assert bool(fold.validation) == (recipe.training is not None)
    assert sorted(sample.clip for fold in folds for sample in fold.test) == list(range(1440))


@pytest.mark.parametrize(("protocol", "groups"), [("luna5", LUNA5), ("emobox6", EMOBOX6)])
def test_folds_are_the_published_ones(protocol: str, groups: Sequence[Sequence[int]]) -> None:
    tested = [{int(speaker or 0) for speaker in speakers(fold.test)} for fold in split("kakadiya/cnn", protocol)]
    assert tested == [set(group) for group in groups]
    assert sorted(actor for group in groups for actor in group) == list(range(1, 25))
    assert LUNA5[0] == (2, 5, 14, 15, 16) and EMOBOX6[0] == (1, 11, 20, 21)


def test_validation_speakers_are_as_many_women_as_men_and_depend_on_the_seed() -> None:
    drawn = [split("kakadiya/cnn", "luna5", seed=seed)[0] for seed in range(4)]
    for fold in drawn:
        genders = [RAVDESS[60 * (int(speaker or 0) - 1)].gender for speaker in speakers(fold.validation)]
        assert sorted(map(str, genders)) == ["female"] * len(genders[::2]) + ["male"] * (len(genders) // 2)
    assert len({frozenset(speakers(fold.validation)) for fold in drawn}) > 1
    assert len({frozenset(fold.test) for fold in drawn}) == 1


@pytest.mark.parametrize("protocol", OF_ONE_CORPUS)
def test_the_same_seed_gives_the_same_split(protocol: str) -> None:
    assert split("boucheta/cnn", protocol, seed=5) == split("boucheta/cnn", protocol, seed=5)
    if protocol in ("published", "clean"):
        assert split("boucheta/cnn", protocol, seed=5) != split("boucheta/cnn", protocol, seed=6)


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(3, 40), min_size=2, max_size=8),
    shares=st.tuples(st.integers(50, 80), st.integers(5, 20)),
    order=st.sampled_from(["random", "temporal"]),
    protocol=st.sampled_from(["published", "clean"]),
    monitor=st.sampled_from([None, "validation", "test", "none"]),
    seed=st.integers(0, 2**32 - 1),
)
def test_any_corpus_is_split_soundly_or_refused_in_words(
    counts: list[int], shares: tuple[int, int], order: str, protocol: str, monitor: str | None, seed: int
) -> None:
    labels = [f"class {number}" for number, count in enumerate(counts) for _ in range(count)]
    clips_ = [
        Utterance(Path("none"), "mine", f"clip {index}", label, speaker="one", repetition=index % 3 + 1)
        for index, label in enumerate(labels)
    ]
    train, validation = shares
    fractions = SplitConfig(
        order=order,  # type: ignore[arg-type]
        train=train / 100,
        validation=validation / 100,
        test=(100 - train - validation) / 100,
    )
    recipe = recipes.load("nguyen/cnn")
    training = recipe.training and recipe.training.model_copy(update={"monitor": monitor}) if monitor else None
    recipe = recipe.model_copy(update={"split": fractions, "training": training})
    try:
        (fold,) = make_folds(recipe, protocol, clips_, labels, seed=seed)
    except ProtocolError as error:
        assert protocol in str(error)
        assert min(counts) < 40
        return
    assert sorted(clips(fold.train) | clips(fold.validation) | clips(fold.test)) == list(range(len(labels)))
    assert sum(sizes(fold)) == len(labels)
    assert abs(len(fold.test) - fractions.test * len(labels)) <= len(counts) + 1
    assert bool(fold.validation) == (monitor is not None)
    for held in (fold.train, fold.test):
        assert {labels[sample.clip] for sample in held} == set(labels)


@settings(max_examples=40, deadline=None)
@given(people=st.integers(3, 30), told=st.booleans(), seed=st.integers(0, 2**32 - 1))
def test_any_number_of_speakers_is_left_out_one_by_one(people: int, told: bool, seed: int) -> None:
    mine = [
        Utterance(Path("none"), "mine", f"{person} {emotion}", emotion, speaker=f"s{person}",
                  gender=("male", "female")[person % 2] if told else None)
        for person in range(people)
        for emotion in ("sad", "happy")
    ]  # fmt: skip
    folds = split("kakadiya/cnn", "loso", mine, seed=seed)
    assert len(folds) == people
    for fold in folds:
        sets = [{mine[sample.clip].speaker for sample in part} for part in (fold.train, fold.validation, fold.test)]
        assert sum(map(len, sets)) == people == len(set.union(*sets))
        assert len(sets[2]) == 1 and 1 <= len(sets[1]) <= 4


def refusal(name: str, protocol: str, utterances: Sequence[Utterance]) -> str:
    with pytest.raises(ProtocolError) as caught:
        split(name, protocol, utterances)
    return str(caught.value)


def change(utterances: Sequence[Utterance], **changes: object) -> list[Utterance]:
    from dataclasses import replace

    return [replace(utterance, **changes) for utterance in utterances]  # type: ignore[arg-type]


def test_an_unknown_protocol_lists_the_valid_ones() -> None:
    with pytest.raises(UsageError, match="Unknown protocol 'lose'"):
        split("kakadiya/cnn", "lose")


@pytest.mark.parametrize("protocol", UNSEEN)
def test_one_speaker_cannot_be_held_out(protocol: str) -> None:
    message = refusal("kakadiya/cnn", protocol, actor_clips(1))
    assert protocol in message and "needs at least 3" in message and "has 1: 01" in message


def test_two_speakers_are_enough_without_validation_and_too_few_with() -> None:
    two = actor_clips(1) + actor_clips(2)
    assert len(split("boucheta/knn", "loso", two)) == 2
    assert "needs at least 3; the corpus has 2: 01, 02" in refusal("boucheta/cnn", "loso", two)


@pytest.mark.parametrize("protocol", UNSEEN)
def test_an_unknown_speaker_is_named_by_clip(protocol: str) -> None:
    nameless = [*RAVDESS[:-1], *change(RAVDESS[-1:], speaker=None)]
    assert RAVDESS[-1].clip in refusal("kakadiya/cnn", protocol, nameless)


@pytest.mark.parametrize("protocol", ["luna5", "emobox6"])
def test_actor_folds_are_for_ravdess_only(protocol: str) -> None:
    for others in (RAVDESS[:-60], change(actor_clips(1), speaker="anna") + RAVDESS[60:]):
        message = refusal("kakadiya/cnn", protocol, others)
        assert "actors 01 to 24" in message and "'loso'" in message


@pytest.mark.parametrize("protocol", ["published", "clean"])
def test_a_class_with_too_few_clips_is_named(protocol: str) -> None:
    few = [clip for clip in RAVDESS if clip.emotion != "disgust"] + actor_clips(1)[-10:-8]
    few = [clip for clip in few if clip.emotion != "disgust"] + [clip for clip in RAVDESS if clip.emotion == "disgust"][
        :1
    ]
    message = refusal("nguyen/cnn", protocol, few)
    assert "'disgust'" in message and "1 clip" in message and protocol in message


def test_a_fold_that_lacks_a_class_says_which() -> None:
    """Where only one actor is ever calm, the fold that tests that actor has no calm clip to learn from."""
    calm_in_one = [clip for clip in RAVDESS if clip.emotion != "calm" or clip.speaker == "02"]
    message = refusal("kakadiya/cnn", "luna5", calm_in_one)
    assert "Fold 1 of 5" in message and "'luna5'" in message and "no training clip of calm" in message
    message = refusal("kakadiya/cnn", "loso", calm_in_one)
    assert "Fold 2 of 24" in message and "no training clip of calm" in message
    never_tested = [
        clip for clip in RAVDESS if clip.emotion != "calm" or clip.speaker not in ("02", "05", "14", "15", "16")
    ]
    message = refusal("kakadiya/cnn", "luna5", never_tested)
    assert "Fold 1 of 5" in message and "no test clip of calm" in message


def test_temporal_order_needs_the_repetition() -> None:
    untold = [*RAVDESS[:7], *change(RAVDESS[7:8], repetition=None), *RAVDESS[8:]]
    message = refusal("bhanbhro/cnn-lstm", "published", untold)
    assert "repetition" in message and RAVDESS[7].clip in message


def test_no_clips_at_all() -> None:
    assert "no clips" in refusal("kakadiya/cnn", "clean", [])


EMODB = [
    Utterance(Path("no audio is read"), "emodb", file.removesuffix(".wav"), **emodb.parse(PurePosixPath(file)))
    for who in emodb._SPEAKERS
    for sentence in emodb._SENTENCES
    for emotion in emodb._EMOTIONS
    for file in (f"wav/{who}{sentence}{emotion}a.wav",)
]
"""Complete, as EMO-DB is not: seven emotions, no calm, nobody surprised; some speakers are called as in RAVDESS."""
FROM = Corpus(ravdess.RAVDESS.info, Path("ravdess"), tuple(RAVDESS))
TO = Corpus(emodb.EMODB.info, Path("emodb"), tuple(EMODB))


def cross(name: str | Recipe, train: Corpus = FROM, test: Corpus = TO, **more: object) -> tuple[Fold, Corpus]:
    joined = join(train, [test])
    (fold,) = split(name, "cross", joined.utterances, tested=joined.tested, **more)  # type: ignore[arg-type]
    return fold, joined


def mine(corpus: Corpus, **changes: object) -> Corpus:
    from dataclasses import replace

    return replace(corpus, utterances=tuple(change(corpus.utterances, **changes)))


@pytest.mark.parametrize("order", [(FROM, TO), (TO, FROM)], ids=["ravdess-to-emodb", "emodb-to-ravdess"])
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.id)
def test_every_system_is_tested_on_all_of_the_other_corpus_that_both_have(
    recipe: Recipe, order: tuple[Corpus, Corpus]
) -> None:
    fold, joined = cross(recipe, *order, seed=3)
    labels = labels_of(recipe, joined.utterances)
    stated = [(label, clip.corpus) for label, clip in zip(labels, joined.utterances, strict=True)]
    names = [corpus.info.name for corpus in order]
    kept = [{clip for clip, (_, own) in enumerate(stated) if own == name} for name in names]
    wanted = asked(classes_of(label for label, own in stated if own == names[0]), [labels[clip] for clip in kept[1]])
    assert len({each.name for each in wanted.values()}) == {"ravdess8": 6, "merged7": 6, "gender14": 12}[recipe.scheme]
    left = {joined.utterances[clip].emotion for clip in kept[1] if labels[clip] not in wanted}
    assert left == ({"bored"} if order[0] is FROM else {"surprised"}), "calm counts as neutral where none is known"
    kept[1] = {clip for clip in kept[1] if labels[clip] in wanted}
    assert (fold.index, fold.of, leaks_of(fold)) == (0, 1, ())
    assert [sample.clip for sample in fold.test] == sorted(kept[1])
    assert clips(fold.train) | clips(fold.validation) == kept[0]
    assert not clips(fold.train) & clips(fold.validation)
    assert {sample.variant for sample in fold.validation + fold.test} == {ORIGINAL}
    assert fold.monitor == ("validation" if recipe.training else "none")

    heard, chosen, tested = (
        {joined.utterances[sample.clip].speaker for sample in part} for part in (fold.train, fold.validation, fold.test)
    )
    assert not heard & chosen and not (heard | chosen) & tested
    assert len(chosen) == (0 if recipe.training is None else 4 if order[0] is FROM else 2)
    genders = {clip.speaker: clip.gender for clip in joined.utterances}
    assert [genders[speaker] for speaker in chosen].count("female") == len(chosen) // 2


def test_the_validation_speakers_of_a_crossing_depend_on_the_seed_and_its_test_does_not() -> None:
    drawn = [cross("kakadiya/cnn", seed=seed)[0] for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1]
    assert drawn[0].validation != drawn[2].validation and drawn[0].test == drawn[2].test


@pytest.mark.parametrize("speaker", [None, "one and the same"])
def test_where_no_speakers_can_be_held_out_a_tenth_of_the_clips_is(speaker: str | None) -> None:
    fold, joined = cross("bhanbhro/cnn-lstm", mine(FROM, speaker=speaker, repetition=None))
    count = Counter(joined.utterances[sample.clip].emotion for sample in fold.validation)
    assert sum(count.values()) == 144
    assert count.pop("neutral") in (9, 10) and set(count.values()) <= {19, 20}
    assert not clips(fold.validation) & clips(fold.train)
    fold, _ = cross("boucheta/knn", mine(FROM, speaker=speaker))
    assert not fold.validation


def test_a_recording_of_both_corpora_is_tested_and_not_trained_on() -> None:
    fold, joined = cross("onah/cnn")
    digests = [str(clip) for clip in range(len(joined.utterances))]
    tested, trained, validated = fold.test[0].clip, fold.train[0].clip, fold.validation[0].clip
    digests[trained] = digests[validated] = digests[tested]
    other, _ = cross("onah/cnn", digests=digests)
    assert other.test == fold.test
    assert clips(fold.train + fold.validation) - clips(other.train + other.validation) == {trained, validated}

    again = Corpus(TO.info, TO.root, tuple(change(RAVDESS, corpus="emodb")))
    with pytest.raises(ProtocolError, match="'cross' has nothing to train on: every training clip is also a test clip"):
        cross("onah/cnn", FROM, again, digests=[str(clip) for clip in range(1440)] * 2)


def test_a_crossing_needs_two_corpora_with_two_classes_in_common() -> None:
    with pytest.raises(UsageError, match=r"'cross' trains on some corpora and tests on others.* --train .* --test "):
        split("kakadiya/cnn", "cross")
    sad_or_bored = tuple(clip for clip in EMODB if clip.emotion in ("sad", "bored"))
    with pytest.raises(ProtocolError) as caught:
        cross("boucheta/cnn", FROM, Corpus(TO.info, TO.root, sad_or_bored))
    assert str(caught.value) == (
        "Protocol 'cross' needs at least two classes that both corpora have. "
        "Trained on: angry, disgust, fearful, happy, neutral, sad, surprised. Tested on (emodb): bored, sad."
    )


def test_a_class_that_only_validation_speakers_have_is_named() -> None:
    speakers = [f"{actor:02d}" for actor in (1, 2)]
    two = [clip for clip in RAVDESS if clip.speaker in speakers and (clip.emotion, clip.speaker) != ("sad", "01")]
    few = Corpus(FROM.info, FROM.root, tuple(clip for clip in two if (clip.emotion, clip.speaker) != ("angry", "02")))
    with pytest.raises(ProtocolError, match=r"Fold 1 of 1 of protocol 'cross' has no training clip of (sad|angry)\."):
        cross("kakadiya/cnn", few)


def test_sixty_clips_of_one_speaker_are_split_by_clips_of_every_class() -> None:
    """A tenth of them is fewer clips than there are classes."""
    (fold,) = split("kakadiya/cnn", "clean", actor_clips(1))
    for part in (fold.train, fold.validation, fold.test):
        assert {RAVDESS[sample.clip].emotion for sample in part} == set(EMOTIONS)
    recipe = recipes.load("emotone/base")
    fold = untested_fold(recipe, actor_clips(1), labels_of(recipe, actor_clips(1)), seed=0)
    assert len(fold.validation) == 8 and {RAVDESS[sample.clip].emotion for sample in fold.validation} == set(EMOTIONS)
    assert clips(fold.train) | clips(fold.validation) == set(range(60))


def test_variants_are_the_copies_of_the_recipe() -> None:
    def variants(name: str) -> tuple[str, ...]:
        return Task(recipes.load(name), "clean", [], np.array([]), 0).variants

    assert variants("boucheta/knn") == ("noise", "shift", "stretch", "pitch")
    assert variants("nguyen/cnn-lstm-augmented") == ("chain-1",)
    assert variants("onah/cnn") == ()


def test_clips_of_one_emotion_are_refused() -> None:
    angry = [clip for clip in RAVDESS if clip.emotion == "angry"]
    recipe = recipes.load("kakadiya/cnn")
    with pytest.raises(ProtocolError, match=r"Nothing is to be told apart: all 192 clips are angry\."):
        untested_fold(recipe, angry, labels_of(recipe, angry), seed=0)
    with pytest.raises(ProtocolError, match=r"all 192 clips are angry"):
        split(recipe, "clean", angry)


@pytest.mark.parametrize("name", ["nguyen/cnn-lstm", "boucheta/cnn", "boucheta/knn"])
def test_for_use_every_clip_is_trained_or_chosen_on(name: str) -> None:
    recipe = recipes.load(name)
    fold = untested_fold(recipe, RAVDESS, labels_of(recipe, RAVDESS), seed=0)
    assert clips(fold.train) | clips(fold.validation) == set(range(1440)) and not fold.test
    assert not speakers(fold.train) & speakers(fold.validation)
    assert len(speakers(fold.validation)) == (4 if recipe.training else 0)
    assert len(fold.train) == len(clips(fold.train)) * (5 if recipe.augment else 1)


NEMO = change(EMODB, corpus="nemo")


def test_labels_of_several_corpora_mean_the_same_in_all() -> None:
    corpora = ["ravdess", "ravdess", "emodb", "emodb"]
    assert comparable(corpora, ["neutral", "calm", "neutral", "bored"]) == ["neutral", "calm", "neutral|calm", "bored"]
    assert comparable(corpora, ["neutral", "sad", "neutral", "sad"]) == ["neutral", "sad", "neutral", "sad"]
    assert classes_of(["neutral|calm", "calm", "sad"]) == {"calm", "sad"}


def test_each_corpus_is_left_out_once_and_the_others_are_trained_on() -> None:
    joined = together([FROM, TO, Corpus(nemo.NEMO.info, Path("nemo"), tuple(NEMO))])
    folds = split("kakadiya/cnn", "leave-one-corpus-out", joined.utterances)
    assert [fold.of for fold in folds] == [3, 3, 3]
    for fold, name in zip(folds, ("ravdess", "emodb", "nemo"), strict=True):
        sides = [{joined.utterances[sample.clip].corpus for sample in side} for side in (fold.train, fold.test)]
        assert sides == [{"ravdess", "emodb", "nemo"} - {name}, {name}]
        held = {joined.utterances[sample.clip].speaker for sample in fold.validation}
        assert {str(each).split(":")[0] for each in held} == sides[0], "speakers of each corpus choose the epoch"
    tested = Counter(joined.utterances[sample.clip].emotion for sample in folds[0].test)
    assert "surprised" not in tested and tested["calm"] == 192, "nobody teaches surprise; calm counts as neutral"
    with pytest.raises(ProtocolError, match="needs several corpora, and there is ravdess alone"):
        split("kakadiya/cnn", "leave-one-corpus-out")


@pytest.mark.parametrize("protocol", ["luna5", "emobox6"])
def test_other_corpora_stand_beside_ravdess_in_every_fold(protocol: str) -> None:
    joined = together([FROM, TO])
    beside = range(len(RAVDESS), len(joined.utterances))
    for fold, alone in zip(
        split("emotone/base", protocol, joined.utterances), split("emotone/base", protocol), strict=True
    ):
        assert fold.test == alone.test
        assert clips(fold.train) | clips(fold.validation) == clips(alone.train) | clips(alone.validation) | set(beside)


@pytest.mark.parametrize("protocol", OF_ONE_CORPUS)
def test_a_fold_made_alone_is_that_of_all(protocol: str) -> None:
    recipe = recipes.load("onah/cnn")
    known = recipe, protocol, RAVDESS, labels_of(recipe, RAVDESS)
    for fold in make_folds(*known, seed=1)[-2:]:
        assert list(each_fold(*known, seed=1, only=fold.index)) == [fold]
