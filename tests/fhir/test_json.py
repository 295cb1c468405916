"""FHIR JSON in and out."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_gateway.fhir import json as fhir_json
from fhir_gateway.fhir.json import JsonRefused

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-1000, max_value=1000)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(VALUES)
def test_what_is_written_is_read_back(value: object) -> None:
    assert fhir_json.parse(fhir_json.dump(value)) == value


@pytest.mark.parametrize("digits", ["1.0", "1.00", "0.010", "-0.5", "1234567890.123456789012345"])
def test_decimals_keep_their_digits(digits: str) -> None:
    assert (
        fhir_json.dump(fhir_json.parse(f'{{"value":{digits}}}')) == f'{{"value":{digits}}}'.encode()
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "Not valid JSON at line 1"),
        (b"{", "Not valid JSON"),
        (b"{'a': 1}", "Not valid JSON"),
        (b'{"a": 1, "a": 2}', "same key twice"),
        (b'{"a": {"b": 1, "b": 1}}', "same key twice"),
        (b"[NaN]", "NaN is not a JSON number"),
        (b"[-Infinity]", "Infinity is not a JSON number"),
        (b'"\xff"', "not UTF-8"),
        (b'"\\ud800"', "half of a surrogate pair"),
        (b'{"\\udc00": 1}', "half of a surrogate pair"),
        (b"[" * 101 + b"]" * 101, "deeper than 100"),
        (b"[" * 200_000, "deeper than 100"),
        (b"1" * 5000, "beyond reason"),
        (b"1e9999999999999999999999", "beyond reason"),
        (b"[1.5e-9999999999999999999999]", "beyond reason"),
        (b" " * 1_000_001, "larger than"),
    ],
)
def test_what_two_parsers_would_read_differently_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(JsonRefused, match=message) as raised:
        fhir_json.parse(data)
    assert raised.value.code == "json-refused"


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_are_either_read_or_refused(data: bytes | str) -> None:
    try:
        fhir_json.parse(data)
    except JsonRefused:
        return


def test_a_refusal_does_not_quote_the_content() -> None:
    with pytest.raises(JsonRefused) as raised:
        fhir_json.parse('{"name": "Priya" oops}')
    assert "Priya" not in str(raised.value)


def test_whole_surrogate_pairs_and_a_byte_order_mark_are_read() -> None:
    assert fhir_json.parse('"\\ud83d\\ude00"') == "😀"
    assert fhir_json.parse(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_brackets_within_text_are_no_nesting() -> None:
    assert fhir_json.parse('"' + "[" * 500 + '"') == "[" * 500


@pytest.mark.parametrize("value", [{1, 2}, Decimal("NaN"), Decimal("Infinity"), object()])
def test_what_is_not_json_is_not_written(value: object) -> None:
    with pytest.raises(TypeError):
        fhir_json.dump(value)


def test_pretty_json_is_indented() -> None:
    assert fhir_json.dump({"a": [1]}, pretty=True) == b'{\n  "a": [\n    1\n  ]\n}'
