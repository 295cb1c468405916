"""Fields of a page: their names, what they show, and the answers that a posted form makes of them.

Nothing here judges an answer; what cannot become a FHIR value at all (a day that does not exist, a
number with letters) is a Problem, everything else is for the validator. What was typed is kept as
it was, for showing the page again.
"""

from fhir_gateway.web.fields.names import (
    DATE_PARTS,
    SHOWN_TYPES,
    TIME_PARTS,
    field_id,
    field_name,
    is_shown,
)
from fhir_gateway.web.fields.options import FREE_TEXT, Option, options
from fhir_gateway.web.fields.reading import read
from fhir_gateway.web.fields.sheet import Posted, Problem, Sheet
from fhir_gateway.web.fields.typed import sheet_of, typed_values

__all__ = [
    "DATE_PARTS",
    "FREE_TEXT",
    "SHOWN_TYPES",
    "TIME_PARTS",
    "Option",
    "Posted",
    "Problem",
    "Sheet",
    "field_id",
    "field_name",
    "is_shown",
    "options",
    "read",
    "sheet_of",
    "typed_values",
]
