from __future__ import annotations

from lambdatui.experiment.bundled import FIRST, bundled
from lambdatui.experiment.course import course


def test_the_course_leads_from_each_experiment_to_the_next_through_all_of_them() -> None:
    lessons = list(course("en"))
    assert {lesson.name for lesson in lessons} == bundled().keys() and lessons[0].name == FIRST
    assert [lesson.following for lesson in lessons] == [lesson.name for lesson in [*lessons[1:], lessons[0]]]


def test_a_lesson_is_told_in_the_language_chosen() -> None:
    first = next(course("zh-Hant"))
    assert (first.title, first.minutes, first.asked) == ("Lambda 逾時", 8, 6)
    assert "三秒" in first.summary
