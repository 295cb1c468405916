"""From the items of a page to the parameters of nhsuk-frontend's macros. Knows no linkId.

A page is a list of parts; each names a macro of templates/parts.jinja and its parameters. Text goes
in as text, so that the macros escape it; HTML only comes from authors' markdown and from their
XHTML when it was cleaned (markdown.py, xhtml.py).
"""

from fhir_gateway.web.components.drawing import Drawing
from fhir_gateway.web.components.part import FieldError, Part
from fhir_gateway.web.components.targets import first_field

__all__ = ["Drawing", "FieldError", "Part", "first_field"]
