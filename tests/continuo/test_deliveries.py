"""What is sent next to a subscriber of events."""

from hypothesis import given
from hypothesis import strategies as st

from continuo.decisions.deliveries import Held, due

SUBJECTS = st.lists(st.sampled_from("abc"), max_size=12)


@given(subjects=SUBJECTS, data=st.data())
def test_each_subject_has_all_its_events_in_order_whatever_fails(subjects: list[str], data: st.DataObject) -> None:
    """Any event fails any number of times, at most thrice."""
    waiting, held, now, taken = dict(enumerate(subjects)), dict[str, Held](), 0.0, list[int]()
    failures = [data.draw(st.integers(0, 3)) for _ in subjects]
    while waiting:
        now += 1
        for subject, numbers in due(waiting.items(), held, now).items():
            held.pop(subject, None)
            for number in numbers:
                if failures[number]:
                    failures[number] -= 1
                    held[subject] = Held(1, now + 2)
                    break
                taken.append(number)
                del waiting[number]
    for subject in "abc":
        assert [number for number in taken if subjects[number] == subject] == [
            number for number, whose in enumerate(subjects) if whose == subject
        ]


def test_a_subject_that_fails_holds_up_no_other() -> None:
    waiting, held = [(1, "a"), (2, "b"), (3, "a"), (4, "b")], {"a": Held(1, 10.0)}
    assert due(waiting, held, 9.0) == {"b": [2, 4]}
    assert due(waiting, held, 10.0) == {"a": [1, 3], "b": [2, 4]}
