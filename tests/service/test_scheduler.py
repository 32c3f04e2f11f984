"""Placement: by name, and against a model of environments that are idle or busy."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from lambdatui.service.scheduler import SCALING_RATE, Create, Placement, Reuse, Scheduler, Throttle

LATEST = "$LATEST"


class Lab:
    """A scheduler whose environments are created at once."""

    def __init__(self, limit: int = 1000, reserved: int | None = None) -> None:
        self.scheduler = Scheduler(limit)
        self.scheduler.reserve("F", reserved)
        self.scheduler.configure("F", LATEST, 1, "")
        self.now = 0.0
        self.count = 0

    def invoke(self, function: str = "F", version: str = LATEST) -> Placement:
        self.now += 1
        placement = self.scheduler.place(function, version, self.now)
        if isinstance(placement, Create):
            self.count += 1
            self.scheduler.created(function, version, f"e{self.count}", self.now)
        return placement

    def finish(self, environment: str, function: str = "F", version: str = LATEST) -> None:
        self.now += 1
        self.scheduler.released(function, version, environment, self.now)

    def provision(self, count: int, version: str = "1") -> list[str]:
        """Environments that were made and are initialised at once."""
        create, _ = self.scheduler.provision("F", version, count)
        names = [f"p{number}" for number in range(1, create + 1)]
        for name in names:
            self.scheduler.created("F", version, name, self.now, provisioned=True)
            self.scheduler.released("F", version, name, self.now)
        return names


def test_one_invocation_at_a_time_in_each_environment() -> None:
    lab = Lab()
    assert [lab.invoke(), lab.invoke(), lab.invoke(), lab.invoke()] == [
        Create("first invocation"),
        Create("the only environment is busy"),
        Create("both environments are busy"),
        Create("all 3 environments are busy"),
    ]


def test_the_most_recently_used_environment_is_taken_first() -> None:
    lab = Lab()
    for _ in range(3):
        lab.invoke()
    for environment in ("e3", "e1", "e2"):
        lab.finish(environment)
    assert [lab.invoke(), lab.invoke(), lab.invoke()] == [Reuse("e2"), Reuse("e1"), Reuse("e3")]


def test_a_change_gives_new_environments_while_those_in_flight_finish() -> None:
    lab = Lab()
    lab.invoke(), lab.invoke()
    lab.finish("e1")
    assert sorted(lab.scheduler.configure("F", LATEST, 2, "the code changed")) == ["e1", "e2"]
    assert lab.invoke() == Create("the code changed")
    lab.finish("e2")
    lab.finish("e3")
    assert lab.invoke() == Reuse("e3")


def test_reserved_concurrency_is_a_cap_that_counts_old_environments_too() -> None:
    lab = Lab(reserved=2)
    lab.invoke(), lab.invoke()
    lab.scheduler.configure("F", LATEST, 2, "the configuration changed")
    assert lab.invoke() == Throttle("ReservedFunctionConcurrentInvocationLimitExceeded")
    lab.finish("e1")
    assert lab.invoke() == Create("the configuration changed")


def test_a_reserve_of_zero_blocks_everything() -> None:
    assert Lab(reserved=0).invoke() == Throttle("ReservedFunctionConcurrentInvocationLimitExceeded")


def test_what_others_reserved_is_not_there_for_the_rest() -> None:
    lab = Lab(limit=3)
    lab.scheduler.reserve("G", 2)
    lab.scheduler.configure("G", LATEST, 1, "")
    lab.invoke()
    assert lab.invoke() == Throttle("ConcurrentInvocationLimitExceeded")
    assert isinstance(lab.invoke("G"), Create)


def test_idle_environments_are_reclaimed_after_their_time() -> None:
    lab = Lab()
    lab.invoke(), lab.invoke()
    lab.finish("e1")
    assert lab.scheduler.reclaim("F", lab.now + 9, 10.0, "idle for 10 s") == []
    assert lab.scheduler.reclaim("F", lab.now + 10, 10.0, "idle for 10 s") == ["e1"]
    lab.finish("e2")
    assert lab.scheduler.reclaim("F", lab.now) == ["e2"]
    assert lab.invoke() == Create("the last one was reclaimed")


def test_versions_have_environments_of_their_own_and_share_the_reserve() -> None:
    lab = Lab(reserved=3)
    lab.scheduler.configure("F", "1", 1, "published")
    assert [lab.invoke(version="1"), lab.invoke(), lab.invoke(version="1")] == [
        Create("first invocation"),
        Create("first invocation"),
        Create("the only environment is busy"),
    ]
    assert lab.invoke() == Throttle("ReservedFunctionConcurrentInvocationLimitExceeded")
    lab.finish("e1", version="1")
    assert lab.invoke() == Create("the only environment is busy"), "that of the version is none of $LATEST"


def test_provisioned_environments_are_taken_first_and_never_reclaimed() -> None:
    lab = Lab()
    lab.scheduler.configure("F", "1", 1, "published")
    assert lab.provision(2) == ["p1", "p2"]
    first, second = lab.invoke(version="1"), lab.invoke(version="1")
    assert {first, second} == {Reuse("p1"), Reuse("p2")}
    assert lab.invoke(version="1") == Create("all provisioned environments are busy"), "it spills over"
    for name in ("p1", "p2", "e1"):
        lab.finish(name, version="1")
    assert lab.scheduler.reclaim("F", lab.now) == ["e1"]
    assert lab.scheduler.idle_longest() is None
    create, surplus = lab.scheduler.provision("F", "1", 1)
    assert create == 0 and len(surplus) == 1


def test_provisioned_concurrency_is_taken_from_the_account_whether_it_is_used_or_not() -> None:
    lab = Lab(limit=3)
    lab.scheduler.configure("F", "1", 1, "published")
    lab.provision(2)
    assert lab.invoke() == Create("first invocation")
    assert lab.invoke() == Throttle("ConcurrentInvocationLimitExceeded")
    assert isinstance(lab.invoke(version="1"), Reuse), "what was provisioned is there for those it was made for"


def test_a_function_grows_by_a_thousand_environments_in_ten_seconds() -> None:
    scheduler = Scheduler(100_000)
    scheduler.configure("F", LATEST, 1, "")

    def burst(now: float) -> int:
        count = 0
        while isinstance(scheduler.place("F", LATEST, now), Create):
            count += 1
            scheduler.created("F", LATEST, f"{now}-{count}", now)
        return count

    assert burst(100.0) == SCALING_RATE
    assert burst(101.0) == SCALING_RATE // 10
    assert burst(500.0) == SCALING_RATE, "and never by more"


class AnyTraffic(RuleBasedStateMachine):
    """Invocations of two functions, one with a reserve, against sets of names."""

    def __init__(self) -> None:
        super().__init__()
        self.scheduler = Scheduler(4)
        self.reserve = {"F": None, "G": 1}
        self.generation = {"F": 1, "G": 1}
        for function in "FG":
            self.scheduler.reserve(function, self.reserve[function])
            self.scheduler.configure(function, LATEST, 1, "")
        self.busy: dict[str, str] = {}  # environment -> function
        self.idle: dict[str, list[str]] = {"F": [], "G": []}  # most recently used last
        self.old: set[str] = set()
        self.now = 0.0
        self.count = 0

    @rule(function=st.sampled_from("FG"))
    def invoke(self, function: str) -> None:
        self.now += 1
        in_flight = sum(each == function for each in self.busy.values())
        placement = self.scheduler.place(function, LATEST, self.now)
        if in_flight >= (1 if function == "G" else 3):
            assert isinstance(placement, Throttle)
        elif self.idle[function]:
            assert placement == Reuse(self.idle[function].pop())
            self.busy[placement.environment] = function
        else:
            assert isinstance(placement, Create)
            self.count += 1
            self.scheduler.created(function, LATEST, str(self.count), self.now)
            self.busy[str(self.count)] = function

    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        if self.busy:
            self.now += 1
            environment = data.draw(st.sampled_from(sorted(self.busy)))
            function = self.busy.pop(environment)[0]
            self.scheduler.released(function, LATEST, environment, self.now)
            if environment not in self.old:
                self.idle[function].append(environment)

    @rule(function=st.sampled_from("FG"))
    def change(self, function: str) -> None:
        self.generation[function] += 1
        here = {name for name, each in self.busy.items() if each == function} | set(self.idle[function])
        retired = self.scheduler.configure(function, LATEST, self.generation[function], "changed")
        assert set(retired) >= here - self.old
        self.old |= here
        self.idle[function].clear()

    @rule(function=st.sampled_from("FG"))
    def delete_and_make_again(self, function: str) -> None:
        here = {name for name, each in self.busy.items() if each == function} | set(self.idle[function])
        assert set(self.scheduler.remove(function)) >= here - self.old
        for name in here:
            if name in self.busy:
                self.busy[name] = f"{function} as it was"
        self.old |= here
        self.idle[function].clear()
        self.scheduler.reserve(function, self.reserve[function])
        self.scheduler.configure(function, LATEST, self.generation[function], "")

    @rule(function=st.sampled_from("FG"))
    def reclaim(self, function: str) -> None:
        assert set(self.scheduler.reclaim(function, self.now)) == set(self.idle[function])
        self.idle[function].clear()


TestAnyTraffic = AnyTraffic.TestCase
TestAnyTraffic.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
