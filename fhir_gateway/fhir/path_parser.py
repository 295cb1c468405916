"""Parsing FHIRPath with fhirpathpy's grammar, strictly.

The engine's own parse() recovers from mistakes, prints some of them, and reads no further than it
understands; an expression with a mistake must not mean something else than was written.
"""

from __future__ import annotations

from typing import Any

from antlr4 import CommonTokenStream, InputStream, Token
from antlr4.error.ErrorListener import ErrorListener
from antlr4.tree.Tree import ParseTreeWalker
from fhirpathpy.parser.ASTPathListener import ASTPathListener
from fhirpathpy.parser.generated.FHIRPathLexer import FHIRPathLexer
from fhirpathpy.parser.generated.FHIRPathParser import FHIRPathParser


class PathSyntaxError(Exception):
    """Not FHIRPath; the message says where."""


class _Strict(ErrorListener):  # type: ignore[misc]  # antlr4 has no annotations
    def syntaxError(
        self, recognizer: Any, symbol: Any, line: int, column: int, message: str, error: Any
    ) -> None:
        del recognizer, symbol, error
        raise PathSyntaxError(
            f"line {line}, column {column + 1}: {message.partition(' expecting ')[0]}"
        )


def parse(expression: str) -> Any:
    """The engine's tree of an expression. Raises PathSyntaxError."""
    lexer = FHIRPathLexer(InputStream(expression))
    parser = FHIRPathParser(CommonTokenStream(lexer))
    for recognizer in (lexer, parser):
        recognizer.removeErrorListeners()
        recognizer.addErrorListener(_Strict())
    tree = parser.expression()
    rest = parser.getTokenStream().LT(1)
    if rest.type != Token.EOF:
        raise PathSyntaxError(f"line {rest.line}, column {rest.column + 1}: not expected here")
    listener = ASTPathListener()
    ParseTreeWalker().walk(listener, tree)
    return listener.parentStack[0]
