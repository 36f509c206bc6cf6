"""A race, rule by rule (docs/protocol.md, "Races"): what happens when people do this or that."""

from collections.abc import Callable
from typing import Any

import pytest

from server.core.race import (
    Ending,
    Phase,
    Race,
    RaceConflict,
    RaceForbidden,
    RaceFull,
    Racer,
    RaceStarted,
)

CREATED_MS = 1_000_000
STARTED_MS = CREATED_MS + 3_000
MINUTE_MS = 60_000


def empty(quick: bool = False, racers_max: int = 20) -> Race:
    return Race("race", quick, racers_max, CREATED_MS)


def join(race: Race, name: str, now_ms: int = CREATED_MS) -> Racer:
    """A person of this name comes, by process p."""
    return race.join(name, name, f"attempt of {name}", f"p/{name}", now_ms)


def lobby(*names: str, quick: bool = False, ghosts_ms: tuple[int | None, ...] = ()) -> Race:
    """Who is named here has slots 0, 1 and so on; then come the ghosts."""
    race = empty(quick)
    for name in names:
        join(race, name)
    for duration_ms in ghosts_ms:
        race.add_ghost("typed before", "ghost", duration_ms)
    race.take_happened()
    return race


def counting(*names: str, ghosts_ms: tuple[int | None, ...] = ()) -> Race:
    race = lobby(*names, ghosts_ms=ghosts_ms)
    race.start(race.racers[0], CREATED_MS)
    race.take_happened()
    return race


def running(*names: str, ghosts_ms: tuple[int | None, ...] = ()) -> Race:
    """A race that started at STARTED_MS."""
    race = counting(*names, ghosts_ms=ghosts_ms)
    race.tick(STARTED_MS)
    race.take_happened()
    return race


def said(race: Race) -> list[tuple[Any, ...]]:
    """What has happened since the last look, as (event, values)."""
    return [(one.event, *one.fields.values()) for one in race.take_happened()]


def at(ms: int) -> int:
    """The instant so long after the start."""
    return STARTED_MS + ms


def end(race: Race, now_ms: int, **durations_ms: int | str) -> None:
    """The store knows that attempts ended: completed after so long, or why they were not."""
    race.attempts_ended(
        [
            Ending(f"attempt of {name}", ending if isinstance(ending, int) else None, str(ending))
            for name, ending in durations_ms.items()
        ],
        now_ms,
    )


def run_to(race: Race, until_ms: int) -> None:
    """Tick whenever the race asks for it; each time something must come of it."""
    while (wake_at_ms := race.wake_at_ms) is not None and wake_at_ms <= until_ms:
        before = race.n
        race.tick(wake_at_ms - 1)
        assert race.n == before, "it was due before it asked to be woken"
        race.tick(wake_at_ms)
        assert race.n > before, "woken for nothing"


# The lobby


def test_the_first_who_comes_is_the_host() -> None:
    race = empty()
    join(race, "ann")
    join(race, "bob")
    assert said(race) == [("joined", 0), ("host", 0), ("joined", 1)]


def test_events_are_numbered_from_one_without_a_hole() -> None:
    race = lobby("ann", "bob")
    race.start(race.racers[0], CREATED_MS)
    race.tick(STARTED_MS)
    end(race, at(20_000), ann=20_000, bob="quit")
    happened = race.take_happened()
    assert [one.n for one in happened] == list(range(4, 4 + len(happened)))
    assert race.n == happened[-1].n
    assert race.take_happened() == []


def test_a_slot_that_was_left_is_given_again() -> None:
    race = lobby("ann", "bob", "eve")
    race.leave(race.racers[1], CREATED_MS)
    assert join(race, "joe").slot == 1
    assert said(race) == [("left", 1), ("joined", 1)]
    assert [racer.name for racer in race.racers] == ["ann", "joe", "eve"]


def test_who_joins_again_has_the_old_slot() -> None:
    race = lobby("ann", "bob")
    again = race.join("bob", "bob", "another attempt", "q/1", CREATED_MS)
    assert (again.slot, again.seat, again.attempt_id) == (1, "q/1", "attempt of bob")
    assert said(race) == []


def test_a_full_race_takes_nobody_and_no_ghost() -> None:
    race = empty(racers_max=2)
    join(race, "ann")
    race.add_ghost("typed before", "ghost", 20_000)
    with pytest.raises(RaceFull):
        join(race, "bob")
    with pytest.raises(RaceFull):
        race.add_ghost("typed before", "ghost", 20_000)


@pytest.mark.parametrize("at_which", [counting, running])
def test_who_joins_later_may_only_watch(at_which: Callable[..., Race]) -> None:
    race = at_which("ann", "bob")
    with pytest.raises(RaceStarted):
        join(race, "eve")
    assert said(race) == []


def test_ready_is_said_when_it_changes_and_only_in_the_lobby() -> None:
    race = lobby("ann", "bob")
    ann, bob = race.racers
    for ready in (False, True, True, False):
        race.make_ready(ann, ready, CREATED_MS)
    race.make_ready(ann, True, CREATED_MS)
    race.make_ready(bob, True, CREATED_MS)
    assert said(race) == [
        ("ready", 0, True),
        ("ready", 0, False),
        ("ready", 0, True),
        ("ready", 1, True),
    ]
    assert race.phase is Phase.LOBBY, "only a quick race starts by itself"
    race.start(ann, CREATED_MS)
    race.make_ready(bob, False, CREATED_MS)
    assert said(race) == [("countdown", STARTED_MS)]


def test_the_host_starts_without_waiting_for_the_others_to_be_ready() -> None:
    race = lobby("ann", "bob")
    race.start(race.racers[0], CREATED_MS)
    assert (race.phase, race.starts_at_ms) == (Phase.COUNTDOWN, CREATED_MS + 3_000)
    assert said(race) == [("countdown", CREATED_MS + 3_000)]


def test_a_ghost_is_company_enough_to_start() -> None:
    race = lobby("ann", ghosts_ms=(20_000,))
    race.start(race.racers[0], CREATED_MS)
    assert race.phase is Phase.COUNTDOWN


def test_nobody_but_the_host_starts_and_nobody_alone_and_nobody_twice() -> None:
    race = lobby("ann")
    with pytest.raises(RaceConflict):
        race.start(race.racers[0], CREATED_MS)
    bob = join(race, "bob")
    with pytest.raises(RaceForbidden):
        race.start(bob, CREATED_MS)
    race.start(race.racers[0], CREATED_MS)
    with pytest.raises(RaceStarted):
        race.start(race.racers[0], CREATED_MS)


def test_a_lobby_that_lasts_half_an_hour_is_cancelled() -> None:
    race = lobby("ann", "bob")
    run_to(race, CREATED_MS + 30 * MINUTE_MS - 1)
    assert said(race) == []
    run_to(race, CREATED_MS + 30 * MINUTE_MS)
    assert said(race) == [("cancelled", "limit")]
    assert race.wake_at_ms is None


# A quick race


def test_a_quick_race_counts_down_5_s_after_its_second_racer_came() -> None:
    race = empty(quick=True)
    join(race, "ann")
    run_to(race, CREATED_MS + MINUTE_MS)
    join(race, "bob", CREATED_MS + MINUTE_MS)
    join(race, "eve", CREATED_MS + MINUTE_MS + 4_000)
    race.take_happened()
    run_to(race, CREATED_MS + MINUTE_MS + 4_999)
    assert said(race) == []
    run_to(race, CREATED_MS + MINUTE_MS + 5_000)
    assert said(race) == [("countdown", CREATED_MS + MINUTE_MS + 8_000)]


def test_a_quick_race_counts_down_at_once_when_all_are_ready() -> None:
    race = empty(quick=True)
    ann = join(race, "ann")
    race.make_ready(ann, True, CREATED_MS)
    assert race.phase is Phase.LOBBY, "one alone is no race"
    bob = join(race, "bob")
    race.make_ready(bob, True, CREATED_MS + 7)
    assert (race.phase, race.starts_at_ms) == (Phase.COUNTDOWN, CREATED_MS + 3_007)


def test_a_quick_race_counts_down_when_the_only_one_who_was_not_ready_leaves() -> None:
    race = lobby("ann", "bob", "eve", quick=True)
    ann, bob, eve = race.racers
    race.make_ready(ann, True, CREATED_MS)
    race.make_ready(bob, True, CREATED_MS)
    race.leave(eve, CREATED_MS)
    assert race.phase is Phase.COUNTDOWN


def test_a_quick_race_waits_anew_when_only_one_is_left() -> None:
    race = lobby("ann", "bob", quick=True)
    race.leave(race.racers[1], CREATED_MS + 4_000)
    run_to(race, CREATED_MS + 9_000)
    join(race, "eve", CREATED_MS + 9_000)
    assert race.wake_at_ms == CREATED_MS + 14_000


# The host


def test_the_host_who_leaves_hands_on_to_the_lowest_slot_that_is_there() -> None:
    race = lobby("ann", "bob", "eve")
    race.drop("p/bob", CREATED_MS)
    race.take_happened()
    race.leave(race.racers[0], CREATED_MS)
    assert said(race) == [("left", 0), ("host", 2)]
    race.leave(race.racers[1], CREATED_MS)
    assert said(race) == [("left", 2), ("host", 1)], "somebody away is better than nobody"


def test_somebody_else_who_leaves_hands_nothing_on() -> None:
    race = lobby("ann", "bob")
    race.leave(race.racers[1], CREATED_MS)
    assert said(race) == [("left", 1)]


def test_a_ghost_is_never_the_host() -> None:
    race = empty()
    race.add_ghost("typed before", "ghost", 20_000)
    ann = join(race, "ann")
    assert race.host == ann.slot == 1
    join(race, "bob")
    race.leave(ann, CREATED_MS)
    assert race.host == 2


def test_the_host_who_drops_stays_the_host_while_the_slot_is_kept() -> None:
    race = lobby("ann", "bob")
    race.drop("p/ann", CREATED_MS)
    run_to(race, CREATED_MS + 119_999)
    assert (race.host, said(race)) == (0, [("connection", 0, False)])
    run_to(race, CREATED_MS + 120_000)
    assert (race.host, said(race)) == (1, [("left", 0), ("host", 1)])


def test_the_host_who_leaves_a_running_race_hands_on_too() -> None:
    race = running("ann", "bob", "eve")
    race.leave(race.racers[1], at(1_000))
    race.take_happened()
    race.leave(race.racers[0], at(2_000))
    assert said(race) == [("dnf", 0, "left"), ("connection", 0, False), ("host", 2)]


def test_a_host_who_stays_away_hands_on() -> None:
    race = running("ann", "bob")
    race.drop("p/ann", at(0))
    run_to(race, at(120_000))
    assert said(race) == [("connection", 0, False), ("dnf", 0, "gone"), ("host", 1)]


# Coming and going


def test_the_last_who_leaves_a_lobby_cancels_it_ghosts_or_not() -> None:
    race = lobby("ann", ghosts_ms=(20_000,))
    race.leave(race.racers[0], CREATED_MS)
    assert said(race) == [("left", 0), ("cancelled", "empty")]
    assert race.wake_at_ms is None


def test_a_lobby_whose_people_all_stay_away_is_cancelled() -> None:
    race = lobby("ann", "bob")
    race.drop("p", CREATED_MS)
    race.take_happened()
    run_to(race, CREATED_MS + 10 * MINUTE_MS)
    assert said(race) == [("left", 0), ("host", 1), ("left", 1), ("cancelled", "empty")]


def test_a_countdown_goes_on_while_anybody_is_left() -> None:
    race = counting("ann", "bob")
    race.leave(race.racers[0], STARTED_MS - 1)
    run_to(race, STARTED_MS)
    assert said(race) == [("left", 0), ("host", 1), ("go",)]
    end(race, at(20_000), bob=20_000)
    assert said(race) == [("placed", 1, 1, 20_000), ("over", [[1, 1, 20_000]])]


def test_a_countdown_that_all_have_left_is_cancelled() -> None:
    race = counting("ann", "bob")
    for racer in list(race.racers):
        race.leave(racer, CREATED_MS)
    assert said(race)[-1] == ("cancelled", "empty")


def test_who_leaves_after_the_start_has_run_even_if_nobody_said_go() -> None:
    race = counting("ann", "bob")
    race.leave(race.racers[1], STARTED_MS)
    assert said(race) == [("go",), ("dnf", 1, "left"), ("connection", 1, False)]


def test_when_all_leave_a_running_race_it_is_over() -> None:
    race = running("ann", "bob", ghosts_ms=(5_000, 60_000))
    race.leave(race.racers[0], at(5_100))
    race.leave(race.racers[1], at(5_200))
    assert said(race) == [
        ("dnf", 0, "left"),
        ("connection", 0, False),
        ("host", 1),
        ("dnf", 1, "left"),
        ("connection", 1, False),
        ("placed", 2, 1, 5_000),
        ("over", [[2, 1, 5_000]]),
    ], "only the ghost that was done by then has a place"


def test_who_finished_and_leaves_keeps_the_place() -> None:
    race = running("ann", "bob")
    end(race, at(20_000), ann=20_000)
    race.leave(race.racers[0], at(20_100))
    end(race, at(21_000), bob=21_000)
    assert said(race) == [
        ("connection", 0, False),
        ("host", 1),
        ("placed", 0, 1, 20_000),
        ("placed", 1, 2, 21_000),
        ("over", [[0, 1, 20_000], [1, 2, 21_000]]),
    ]


def test_leaving_what_is_over_says_nothing() -> None:
    over, cancelled = running("ann", "bob"), lobby("ann", "bob")
    end(over, at(20_000), ann=20_000, bob="quit")
    run_to(cancelled, CREATED_MS + 30 * MINUTE_MS)
    for race in (over, cancelled):
        race.take_happened()
        race.leave(race.racers[0], at(30 * MINUTE_MS))
        assert said(race) == []
        assert not race.racers[0].connected


def test_who_drops_and_comes_back_is_announced_once_each_time() -> None:
    race = running("ann", "bob")
    bob = race.racers[1]
    race.drop("p/bob", at(1_000))
    race.drop("p/bob", at(1_000))
    race.sit(bob, "q/7", at(3_000))  # by `open`
    race.sit(bob, "q/7", at(3_100))  # by `race.sync`
    assert said(race) == [("connection", 1, False), ("connection", 1, True)]
    assert (bob.connected, bob.back_at_ms) == (True, 3_000 + STARTED_MS)


def test_a_connection_that_another_replaced_is_not_missed() -> None:
    race = running("ann", "bob")
    race.sit(race.racers[1], "q/7", at(1_000))
    race.drop("p/bob", at(2_000))
    assert said(race) == []
    assert race.racers[1].connected


def test_a_process_that_is_gone_drops_all_its_seats_and_no_others() -> None:
    race = lobby("ann", "bob", "eve", ghosts_ms=(20_000,))
    race.sit(race.racers[1], "pp/1", CREATED_MS)
    race.drop("p", CREATED_MS)
    assert said(race) == [("connection", 0, False), ("connection", 2, False)]
    assert [racer.connected for racer in race.racers] == [False, True, False, True]


def test_after_the_end_nobody_is_told_who_comes_or_goes() -> None:
    race = running("ann", "bob")
    end(race, at(20_000), ann=20_000, bob="quit")
    race.take_happened()
    race.drop("p", at(21_000))
    assert join(race, "ann", at(22_000)).connected
    assert said(race) == []


def test_a_slot_is_kept_120_s_while_the_race_runs() -> None:
    race = running("ann", "bob")
    race.drop("p/bob", at(1_000))
    race.take_happened()
    run_to(race, at(120_999))
    assert said(race) == []
    run_to(race, at(121_000))
    assert said(race) == [("dnf", 1, "gone")]
    race.sit(race.racers[1], "p/bob", at(122_000))
    end(race, at(123_000), bob=100_000)
    assert said(race) == [("connection", 1, True)], "who is gone has no place any more"


def test_who_is_away_over_the_start_keeps_the_slot_until_then() -> None:
    race = lobby("ann", "bob")
    race.drop("p/bob", CREATED_MS)
    race.start(race.racers[0], CREATED_MS + 119_000)
    race.take_happened()
    run_to(race, CREATED_MS + 122_000)
    assert said(race) == [("go",), ("dnf", 1, "gone")]


# Attempts that end


@pytest.mark.parametrize("why", ["quit", "idle", "void"])
def test_an_attempt_that_ends_without_its_text_has_no_place(why: str) -> None:
    race = running("ann", "bob")
    end(race, at(9_000), bob=why)
    assert said(race) == [("dnf", 1, why)]
    end(race, at(20_000), bob=9_500, ann=20_000)
    assert said(race) == [("placed", 0, 1, 20_000), ("over", [[0, 1, 20_000]])]


def test_an_attempt_may_be_given_up_before_the_start() -> None:
    race = counting("ann", "bob")
    end(race, CREATED_MS, ann="quit", bob="quit")
    assert said(race) == [("dnf", 0, "quit"), ("dnf", 1, "quit")]
    run_to(race, at(0))
    assert said(race) == [("go",), ("over", [])]


def test_an_attempt_that_ends_says_go_if_nobody_did() -> None:
    race = counting("ann", "bob")
    end(race, at(20_000), ann=20_000)
    assert said(race) == [("go",)]


def test_an_attempt_that_ends_before_this_processs_clock_says_go_counts_at_the_start() -> None:
    race = counting("ann", "bob")
    end(race, STARTED_MS - 1, ann=20)
    assert said(race) == []
    run_to(race, at(520))
    assert said(race) == [("go",), ("placed", 0, 1, 20)]


@pytest.mark.parametrize("at_which", [lobby, running])
def test_an_attempt_of_no_racer_is_nobodys(at_which: Callable[..., Race]) -> None:
    race = at_which("ann", "bob", ghosts_ms=(20_000,))
    race.attempts_ended([Ending("typed before", 9_000), Ending("unknown", 9_000)], at(9_500))
    assert said(race) == []


# Places


def test_places_go_by_duration_not_by_arrival() -> None:
    race = running("ann", "bob", "eve")
    end(race, at(20_200), bob=20_000)
    end(race, at(20_300), ann=19_900)
    assert said(race) == []
    run_to(race, at(20_500))
    assert said(race) == [("placed", 0, 1, 19_900), ("placed", 1, 2, 20_000)]


def test_what_is_told_together_is_ordered_before_anything_is_placed() -> None:
    race = running("ann", "bob", "eve")
    end(race, at(MINUTE_MS), ann=20_000, bob=19_000, eve=19_500)
    assert said(race)[-1] == ("over", [[1, 1, 19_000], [2, 2, 19_500], [0, 3, 20_000]])


def test_the_same_duration_goes_to_the_lower_slot() -> None:
    race = running("ann", "bob", "eve")
    end(race, at(20_000), eve=20_000, bob=20_000)
    end(race, at(20_100), ann=20_000)
    assert said(race)[-1] == ("over", [[0, 1, 20_000], [1, 2, 20_000], [2, 3, 20_000]])


FINAL = [
    ("they are here: after the clock allowance", [], 500),
    ("they are away: after 5 s", [("drop", 15_000)], 5_000),
    ("they left in the meantime: as for anybody away", [("drop", 20_300)], 5_000),
    ("they came back long ago", [("drop", 9_000), ("sit", 12_000)], 500),
    ("they came back just before", [("drop", 9_000), ("sit", 19_800)], 500),
    ("they come back later: 500 ms after that", [("drop", 9_000), ("sit", 22_000)], 2_500),
    ("they come back at last: not more than 5 s", [("drop", 9_000), ("sit", 24_700)], 5_000),
    ("another connection replaces theirs: as if they came back", [("sit", 20_200)], 700),
    ("they come back and drop again", [("drop", 9_000), ("sit", 20_100), ("drop", 20_200)], 5_000),
]


@pytest.mark.parametrize(
    ("rivals_way", "final_after_ms"), [row[1:] for row in FINAL], ids=[row[0] for row in FINAL]
)
def test_a_place_is_final_when_those_who_still_type_cannot_beat_it_if(
    rivals_way: list[tuple[str, int]], final_after_ms: int
) -> None:
    """Ann finishes after 20 s, Bob types on; he comes and goes, and does not finish."""
    race = running("ann", "bob")
    way = [("end", 20_050), *rivals_way]
    for what, ms in sorted(way, key=lambda one: one[1]):
        run_to(race, at(ms))
        if what == "end":
            end(race, at(ms), ann=20_000)
        elif what == "drop":
            race.drop(race.racers[1].seat or "", at(ms))
        else:
            race.sit(race.racers[1], f"q/{ms}", at(ms))
    race.take_happened()
    run_to(race, at(20_000 + final_after_ms - 1))
    assert said(race) == []
    run_to(race, at(20_000 + final_after_ms))
    assert said(race) == [("placed", 0, 1, 20_000)]


def test_a_place_is_final_at_once_when_nobody_types_any_more() -> None:
    race = running("ann", "bob")
    end(race, at(20_010), ann=20_000)
    assert said(race) == []
    end(race, at(20_020), bob="quit")
    assert said(race) == [
        ("dnf", 1, "quit"),
        ("placed", 0, 1, 20_000),
        ("over", [[0, 1, 20_000]]),
    ]


def test_a_faster_one_who_is_heard_of_too_late_has_a_later_place() -> None:
    race = running("ann", "bob")
    race.drop("p/bob", at(9_000))
    end(race, at(20_000), ann=20_000)
    run_to(race, at(25_000))
    end(race, at(25_001), bob=19_000)
    assert said(race)[-3:] == [
        ("placed", 0, 1, 20_000),
        ("placed", 1, 2, 19_000),
        ("over", [[0, 1, 20_000], [1, 2, 19_000]]),
    ]


# The end


@pytest.mark.parametrize(
    ("first_ms", "closes_after_ms"),
    [(10_000, 70_000), (30_000, 90_000), (40_000, 120_000)],
    ids=["60 s after the first", "60 s is twice the first", "twice the first after the first"],
)
def test_it_closes_so_long_after_the_first(first_ms: int, closes_after_ms: int) -> None:
    race = running("ann", "bob", ghosts_ms=(1_000,))
    end(race, at(first_ms), ann=first_ms)
    run_to(race, at(closes_after_ms + 499))
    race.take_happened()
    run_to(race, at(closes_after_ms + 500))
    assert said(race) == [("dnf", 1, "time"), ("over", [[2, 1, 1_000], [0, 2, first_ms]])]


def test_who_finishes_at_the_closing_time_is_in_time_and_a_moment_later_is_not() -> None:
    race = running("ann", "bob", "eve")
    end(race, at(10_000), ann=10_000)
    run_to(race, at(70_300))
    race.take_happened()
    end(race, at(70_300), bob=70_000, eve=70_001)
    assert said(race) == [
        ("dnf", 2, "time"),
        ("placed", 1, 2, 70_000),
        ("over", [[0, 1, 10_000], [1, 2, 70_000]]),
    ]
    assert race.racers[2].duration_ms is None


def test_the_closing_time_is_the_same_however_late_the_endings_are_told() -> None:
    race = running("ann", "bob", "eve")
    end(race, at(3 * MINUTE_MS), eve=70_001, bob=10_000, ann=70_000)
    assert said(race)[-1] == ("over", [[1, 1, 10_000], [0, 2, 70_000]])


def test_those_who_wait_for_their_place_have_it_when_the_race_closes() -> None:
    race = running("ann", "bob", "eve")
    race.drop("p/eve", at(1_000))
    end(race, at(10_000), ann=10_000)
    end(race, at(69_000), bob=69_000)
    run_to(race, at(70_500))
    assert said(race)[-3:] == [
        ("dnf", 2, "time"),
        ("placed", 1, 2, 69_000),
        ("over", [[0, 1, 10_000], [1, 2, 69_000]]),
    ]


def test_half_an_hour_without_a_finish_cancels_the_race() -> None:
    race = running("ann", "bob", ghosts_ms=(20_000,))
    run_to(race, at(30 * MINUTE_MS + 500))
    assert said(race) == [
        ("placed", 2, 1, 20_000),
        ("dnf", 0, "time"),
        ("dnf", 1, "time"),
        ("cancelled", "limit"),
    ]
    assert (race.live, race.wake_at_ms) == (False, None)


def test_half_an_hour_with_a_finish_ends_the_race() -> None:
    race = running("ann", "bob")
    end(race, at(29 * MINUTE_MS), ann=29 * MINUTE_MS)
    run_to(race, at(30 * MINUTE_MS + 500))
    assert said(race)[1:] == [("dnf", 1, "time"), ("over", [[0, 1, 29 * MINUTE_MS]])]


def test_a_tick_between_two_dues_does_nothing() -> None:
    race = running("ann", "bob")
    end(race, at(20_000), ann=20_000)
    race.tick(at(20_499))
    assert (said(race), race.wake_at_ms) == ([], at(20_500))


# Ghosts


def test_a_ghost_finishes_by_the_clock() -> None:
    race = running("ann", ghosts_ms=(20_000,))
    run_to(race, at(20_499))
    assert said(race) == []
    run_to(race, at(20_500))
    assert said(race) == [("placed", 1, 1, 20_000)]


def test_a_ghost_that_still_types_at_the_end_has_no_place() -> None:
    race = running("ann", ghosts_ms=(20_000, 9_000))
    end(race, at(19_000), ann=19_000)
    assert said(race) == [
        ("placed", 2, 1, 9_000),
        ("placed", 0, 2, 19_000),
        ("over", [[2, 1, 9_000], [0, 2, 19_000]]),
    ]
    assert race.racers[1].place is None


def test_a_ghost_that_never_came_to_the_end_has_no_place() -> None:
    race = running("ann", ghosts_ms=(None,))
    run_to(race, at(59_000))
    end(race, at(59_000), ann=59_000)
    assert said(race) == [("placed", 0, 1, 59_000), ("over", [[0, 1, 59_000]])]


def test_a_slower_one_does_not_wait_for_a_ghost_either() -> None:
    """What arrives late may count as longer than the clock has run."""
    race = running("ann", ghosts_ms=(25_000,))
    end(race, at(20_500), ann=30_000)
    assert said(race)[-1] == ("over", [[1, 1, 25_000], [0, 2, 30_000]])


# Once more


def test_the_next_race_is_opened_once_and_known_to_all() -> None:
    race = running("ann", "bob")
    with pytest.raises(RaceConflict):
        race.rematch("next", "NEXT22")
    end(race, at(20_000), ann=20_000, bob=21_000)
    race.take_happened()
    assert race.rematch("next", "NEXT22") == ("next", "NEXT22")
    assert race.rematch("other", "THER22") == ("next", "NEXT22")
    assert said(race) == [("again", "next", "NEXT22")]
