"""Languages, and how the lines of a text file are told apart."""

from __future__ import annotations

from pathlib import Path
from typing import Iterable, Iterator, NamedTuple

# How comments look: what begins a comment that runs to the end of the line, and what opens and
# closes a block.
_SYNTAX = {
    "#": (("#",), "", ""),
    "//": (("//",), "/*", "*/"),
    "#//": (("//", "#"), "/*", "*/"),
    "/*": ((), "/*", "*/"),
    "--/*": (("--",), "/*", "*/"),
    "--[[": (("--",), "--[[", "]]"),
    "--{-": (("--",), "{-", "-}"),
    "<!--": ((), "<!--", "-->"),
    "<#": (("#",), "<#", "#>"),
    ";": ((";",), "", ""),
    "%": (("%",), "", ""),
    "rem": (("rem ", "REM ", "::"), "", ""),
    "none": ((), "", ""),
}

# language | comments | extensions, or whole names of files
_TABLE = """
Python|#|.py .pyi .pyw
JavaScript|//|.js .mjs .cjs .jsx
TypeScript|//|.ts .mts .cts .tsx
Java|//|.java
Kotlin|//|.kt .kts
Scala|//|.scala
Swift|//|.swift
Go|//|.go
Rust|//|.rs
Zig|//|.zig
Dart|//|.dart
C|//|.c .h
C++|//|.cpp .cc .cxx .hpp .hh .hxx
C#|//|.cs
PHP|#//|.php
Ruby|#|.rb .rake gemfile rakefile
Perl|#|.pl .pm
R|#|.r
Julia|#|.jl
Elixir|#|.ex .exs
Lua|--[[|.lua
Haskell|--{-|.hs
Erlang|%|.erl .hrl
Lisp|;|.lisp .el .clj .cljs .scm
Shell|#|.sh .bash .zsh .fish
PowerShell|<#|.ps1 .psm1
Batch|rem|.bat .cmd
SQL|--/*|.sql
HTML|<!--|.html .htm .xhtml
Vue and Svelte|<!--|.vue .svelte
CSS|/*|.css
Sass and Less|//|.scss .sass .less
XML|<!--|.xml .xsd .xsl .svg .plist
Markdown|<!--|.md .markdown
reStructuredText|none|.rst
TeX|%|.tex .bib
Plain text|none|.txt .log license copying
YAML|#|.yaml .yml
TOML|#|.toml
INI|#|.ini .cfg .conf .properties .editorconfig .gitignore .gitattributes
JSON|none|.json .jsonl .geojson .webmanifest
CSV|none|.csv .tsv
Make|#|.mk makefile
CMake|#|.cmake cmakelists.txt
Docker|#|.dockerfile dockerfile
Nix|#|.nix
Protocol Buffers|//|.proto
GraphQL|#|.graphql .gql
"""


class Language(NamedTuple):
    name: str
    line_marks: tuple[str, ...]
    block_open: str
    block_close: str


# Prose and data: their lines are text, not code.
NO_CODE = frozenset(("Markdown", "reStructuredText", "Plain text", "JSON", "CSV", "Other text"))
OTHER = Language("Other text", *_SYNTAX["none"])
_LANGUAGES = {
    ending: Language(name, *_SYNTAX[syntax])
    for name, syntax, endings in (row.split("|") for row in _TABLE.strip().splitlines())
    for ending in endings.split()
}


def language_of(path: str) -> Language:
    """By the whole name (Makefile) first, by the extension next."""
    name = path.rpartition("/")[2].lower()
    _, dot, extension = name.rpartition(".")
    return _LANGUAGES.get(name) or _LANGUAGES.get(dot + extension if dot else "", OTHER)


def text_encoding(path: str) -> str | None:
    """The encoding to read a file with; None for a binary file."""
    with Path(path).open("rb") as file:
        head = file.read(8192)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    return None if b"\0" in head else "utf-8-sig"


def text_lines(path: str, encoding: str) -> Iterator[str]:
    """The lines of a text file, in bounded memory whatever the file is.

    Bytes that are no UTF-8 come as lone surrogates. Of a line that never seems to end (a minified
    program, a dump) only the beginning is given: enough to count it and to tell what it is.
    """
    errors = "surrogateescape" if encoding == "utf-8-sig" else "replace"
    with Path(path).open(encoding=encoding, errors=errors) as file:
        at_start = True
        for piece in iter(lambda: file.readline(65536), ""):
            if at_start:
                yield piece
            at_start = piece.endswith("\n")


def kinds(lines: Iterable[str], language: Language) -> Iterator[tuple[str, str]]:
    """("blank" or "comment" or "code", the stripped line) for each line.

    A line counts as a comment when it begins as one. Nothing is parsed: a docstring is code.
    """
    _, line_marks, block_open, block_close = language
    inside = False
    for line in lines:
        text = line.strip()
        if not text:
            yield "blank", text
            continue
        opens = not inside and bool(block_open) and text.startswith(block_open)
        if inside or opens:
            rest = text[len(block_open) :] if opens else text
            _, closed, after = rest.partition(block_close)
            inside = not closed
            yield ("code" if after.strip() else "comment"), text
        elif line_marks and text.startswith(line_marks):
            yield "comment", text
        else:
            yield "code", text
