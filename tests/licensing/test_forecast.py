"""When a pool will be full, and the points of its chart: plain arithmetic."""

import pytest

from licensing.plans import charts, forecast

WEEK = range(7)


@pytest.mark.parametrize(
    ("asked", "purchased", "days"),
    [
        ([10 + day for day in WEEK], 39, 23),
        ([10 + day for day in WEEK], 17, 1),
        ([10 + 3 * day for day in WEEK], 30, 1),
        ([10 + day for day in WEEK], 16, 0),
        ([10 + day for day in WEEK], 12, 0),
        ([7], 7, 0),
        ([7], 0, 0),
        ([10 + day for day in range(6)], 39, None),
        ([10] * 7, 39, None),
        ([30 - day for day in WEEK], 39, None),
        ([0] * 7, 0, None),
        ([0], 0, None),
        ([], 5, None),
        ([0] * 29 + [1], 10_000_000, None),
        ([500] * 40 + [100] * 30, 600, None),
        ([0] * 60 + [2 * day for day in range(30)], 98, 20),
        ([10, 12, 10, 12, 10, 12, 13], 20, 22),
    ],
)
def test_a_pool_is_full_when_the_line_of_the_last_thirty_days_says_so(asked, purchased, days):
    assert forecast.full_in_days(asked, purchased) == days


@pytest.mark.parametrize(
    ("days", "text"),
    [(None, ""), (0, "full now"), (1, "full in about 1 day"), (23, "full in about 23 days")],
)
def test_a_forecast_is_the_end_of_a_sentence(days, text):
    assert forecast.sentence(days) == text


@pytest.mark.parametrize(
    ("highest", "top"), [(0, 2), (1, 2), (2, 2), (3, 4), (5, 10), (11, 20), (412, 1000), (10_000_000, 10_000_000)]
)
def test_a_scale_ends_at_an_even_number(highest, top):
    assert charts.top_of([0, highest], []) == top


@pytest.mark.parametrize(
    ("numbers", "points"),
    [
        ([0, 5, 10], "0,1000 500,500 1000,0"),
        ([1, 2, 3, 4], "0,900 333.3,800 666.7,700 1000,600"),
        ([10], "0,0 1000,0"),
        ([], ""),
    ],
)
def test_numbers_go_from_left_to_right_and_up(numbers, points):
    assert charts.points(numbers, 10) == points
