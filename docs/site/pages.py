"""Which documents the site has, in which order, what each becomes in it, and where its links lead there.

Documents stay where they are in the repository, because messages and other documents name them. Only their copies, from
which the site is made, get other names and links.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Title of a chapter, then its documents: paths in the repository, and pages that `api` and `examples` make. A document
# that is not there is left out.
NAVIGATION: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Begin", ("README.md", "docs/start-here.md", "docs/promises.md", "docs/glossary.md", "docs/README.md")),
    (
        "Publish",
        (
            "docs/publish-small.md",
            "docs/publish-ci.md",
            "docs/signing.md",
            "docs/keys.md",
            "docs/admission.md",
            "docs/hosting.md",
            "docs/page.md",
            "docs/storage.md",
            "docs/directories.md",
            "docs/jobs.md",
            "terraform/README.md",
            "terraform/aws/README.md",
            "terraform/gcp/README.md",
        ),
    ),
    (
        "Verify",
        ("docs/verify.md", "docs/rekor-and-cosign.md", "docs/sigstore.md", "docs/other-logs.md", "docs/evidence.md"),
    ),
    ("Look after", ("docs/operations.md", "docs/lost.md", "docs/witness.md", "docs/network.md")),
    (
        "Recipes",
        (
            "docs/recipes/small-project.md",
            "docs/recipes/submit.md",
            "docs/recipes/github-actions.md",
            "docs/recipes/gitlab-ci.md",
            "docs/recipes/gate.md",
            "docs/recipes/attestations.md",
            "docs/recipes/images.md",
            "docs/recipes/kubernetes.md",
            "docs/recipes/mirror.md",
            "docs/recipes/monitor.md",
            "docs/recipes/witness.md",
            "docs/recipes/auditor.md",
        ),
    ),
    (
        "How it works",
        (
            "docs/data-flow.md",
            "docs/compare.md",
            "docs/index.md",
            "docs/endorsement.md",
            "docs/performance.md",
            "docs/scale.md",
            "docs/spec-map.md",
            "docs/dependencies.md",
        ),
    ),
    (
        "Reference",
        (
            "docs/commands.md",
            "docs/cli.md",
            "docs/outcomes.md",
            "docs/json.md",
            "docs/environment.md",
            "docs/entry-formats.md",
            "docs/index-format.md",
            "api/tiles.md",
            "api/tree.md",
            "api/notes.md",
            "examples/index.md",
        ),
    ),
    ("Project", ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "docs/decisions/README.md")),
)
OF_THE_TESTS = ("tests/model/README.md", "tests/mutants.md", "tests/vectors/README.md")  # linked, and in no chapter
RENAMED = {"docs/index.md": "index-of-entries.md", "docs/README.md": "all.md"}  # index.md is what a folder shows
EXAMPLES = "examples/index.md"

_LINK = re.compile(r"(!?\[(?:[^\]\[]|\[[^\]]*\])*\])\(([^)\s]+)\)")
_FENCE = re.compile(r"^(```.*?^```)$", re.MULTILINE | re.DOTALL)


def documents() -> list[str]:
    """Return the paths of all documents in the repository that the site has."""
    folders = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").rglob("*.md"))]
    others = [path for _, paths in NAVIGATION for path in paths] + list(OF_THE_TESTS)
    return [path for path in dict.fromkeys([*others, *folders]) if (ROOT / path).is_file()]


def navigation(pages: set[str]) -> list[dict[str, list[str]]]:
    """Return the chapters, each with those of its pages that there are; documents that no chapter names come last.

    pages   paths in the site
    """
    chapters = {title: [page_of(path) for path in paths] for title, paths in NAVIGATION}
    named = {page for chapter in chapters.values() for page in chapter}
    decisions = sorted(page for page in pages - named if page.startswith("decisions/"))
    rest = sorted(page for page in pages - named - set(decisions) if not page.startswith("tests/"))
    chapters["Project"] += decisions
    chapters["How it works"] += rest
    return [{title: [page for page in chapter if page in pages]} for title, chapter in chapters.items()]


def page_of(path: str) -> str:
    """Return the path in the site of a document of the repository."""
    if path in RENAMED:
        return RENAMED[path]
    folder, name = posixpath.split(path.removeprefix("docs/"))
    return posixpath.join(folder, "index.md") if name == "README.md" else posixpath.join(folder, name.lower())


class Links:
    """Rewrites links of documents for their copies, and remembers which other files those need.

    files   what is to be copied: path in the repository, and path in the site
    """

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        self._pages = {path: page_of(path) for path in documents()}

    def rewritten(self, path: str, text: str) -> str:
        """Return a document's text, whose links lead to where they lead in the repository, but within the site."""
        return "".join(
            _without_prompts(part) if part.startswith("```") else _LINK.sub(lambda found: self._link(path, found), part)
            for part in _FENCE.split(text)
        )

    def _link(self, path: str, found: re.Match[str]) -> str:
        target, hash_sign, anchor = found[2].partition("#")
        if "://" in target or not target or target.startswith("mailto:"):
            return found[0]
        leads_to = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        if leads_to in self._pages:
            there = self._pages[leads_to]
        elif leads_to == "examples" or leads_to.startswith("examples/"):
            there, hash_sign, anchor = EXAMPLES, "#", posixpath.basename(leads_to).replace(".", "")
        elif leads_to.startswith("docs/"):
            there = leads_to.removeprefix("docs/")
            self.files[leads_to] = there
        elif (ROOT / leads_to).is_dir():  # the site does not show what is in folders
            return found[1].removeprefix("[").removesuffix("]")
        else:  # shown as text, whatever it is: it is no page
            there = f"files/{leads_to}" if "." in posixpath.basename(leads_to) else f"files/{leads_to}.txt"
            self.files[leads_to] = there
        return f"{found[1]}({posixpath.relpath(there, posixpath.dirname(page_of(path)) or '.')}{hash_sign}{anchor})"


def _without_prompts(block: str) -> str:
    """Return a block of commands as it is to be copied: without prompts, and apart from what the commands print."""
    head, _, rest = block.partition("\n")
    if head != "```console":
        return block
    parts: list[tuple[str, list[str]]] = []
    goes_on = False
    for line in rest.removesuffix("```").splitlines():
        is_typed = goes_on or line.startswith("$ ")
        language = "sh" if is_typed else "text"
        if not parts or parts[-1][0] != language:
            parts.append((language, []))
        parts[-1][1].append(line if goes_on or not is_typed else line.removeprefix("$ "))
        goes_on = is_typed and line.endswith("\\")
    return "\n\n".join("\n".join([f"```{language}", *lines, "```"]) for language, lines in parts)


def examples() -> Iterator[str]:
    """Yield the lines of a page with all scripts of `examples/`."""
    yield "# Examples\n"
    yield "Small scripts that use the library. Each is in the folder `examples` of the repository, and tests run it.\n"
    folder = ROOT / "examples"
    for path in sorted(folder.iterdir()):
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        files = [file for file in files if file.is_file() and "__pycache__" not in file.parts]
        if path.is_dir():
            yield f"## {path.name}\n"
        for file in files:
            level = "###" if path.is_dir() else "##"
            language = {".py": "python", ".toml": "toml", ".md": "text"}.get(file.suffix, "text")
            yield f"{level} {file.name}\n"
            yield f"```{language}\n{file.read_text(encoding='utf-8').rstrip()}\n```\n"
