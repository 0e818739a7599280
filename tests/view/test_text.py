"""Sentences for messages: few are all said, many are cut short."""

from __future__ import annotations

from stockcast.view.text import likewise


def test_a_few_sentences_are_all_said_and_one_of_many_stands_for_all() -> None:
    sentences = {f"s{number}": f"s{number} ended." for number in range(6)}
    assert likewise({}) == []
    assert likewise(dict(list(sentences.items())[:3])) == ["s0 ended.", "s1 ended.", "s2 ended."]
    assert likewise(dict(list(sentences.items())[:4])) == ["s0 ended. Likewise 3 more: s1, s2, s3."]
    assert likewise(sentences) == ["s0 ended. Likewise 5 more: s1, s2, s3 and 2 more."]
