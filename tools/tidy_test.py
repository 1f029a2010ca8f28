#!/usr/bin/env python3
"""The house rules that no compiler checks (CONTRIBUTING.md lists them).

    tools/tidy_test.py [ROOT]       exit 1 and one line for each place that breaks a rule
    tools/tidy_test.py --self-test  shows that each rule can fail
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import layers
import script

MAX_COLUMNS = 100
MAX_FUNCTION_LINES = 70
RAW_STRING = 'R"'  # cannot be broken: its line may be as long as it must
CXX = {".cpp", ".hpp", ".h", ".c"}
WIDTH_CHECKED = CXX | {".py", ".sh", ".mjs", ".cmake"}
WIDTH_CHECKED_NAMES = {"CMakeLists.txt", "check", "quickstart", "run"}
NOT_TEXT = {".png", ".ico", ".der", ".bin", ".gz"}
# Found as they came, or made by a tool.
NOT_OURS = re.compile(r"(^|/)(package-lock\.json|LICENSE)$|^fuzz/corpus/|^tests/golden/")


class Rule:
    """A pattern that must not stand in some files' code (comments and strings left out)."""

    def __init__(self, pattern, why, where, but_not="^$"):
        self.pattern, self.why = re.compile(pattern), why
        self.where, self.but_not = re.compile(where), re.compile(but_not)

    def applies(self, name):
        return self.where.search(name) and not self.but_not.search(name)


PRODUCT = r"^(src|include|apps)/"
CODE_RULES = [
    Rule(r"\b(system|steady|high_resolution)_clock::now\b|\b(clock_gettime|gettimeofday)\s*\(",
         "only system/ reads clocks", PRODUCT, r"^src/system/"),
    Rule(r"\b(sleep_for|sleep_until|usleep|nanosleep)\s*\(", "nothing sleeps",
         r"^(src|include|apps|tests|fuzz)/", r"^src/system/|^tests/preload/"),
    Rule(r"\bstd::(cout|cerr|clog)\b|(?<![\w:])printf\s*\(", "only cli/ prints",
         r"^src/", r"^src/cli/"),
    Rule(r"(?<![\w:.>])(s?rand|drand48)\s*\(|\bstd::s?rand\b", "use a seeded generator",
         r"\.(cpp|hpp)$"),
    Rule(r"(?<!operator )(?<!operator)\bnew\b(?!\s*[(\[]?\s*std::(nothrow|align))",
         "no bare new: make_unique, make_shared, a container", r"\.(cpp|hpp)$"),
    Rule(r"(?<!operator )(?<!operator)(?<!= )(?<!=)\bdelete\b", "no bare delete",
         r"\.(cpp|hpp)$"),
    Rule(r"\bassert\s*\([^;]*?&&(?!\s*\")", "one assert for each condition",
         r"\.(cpp|hpp)$"),
    Rule(r"\bclient_secrets\b", "past Client::make only grants hold client secrets",
         r"^src/(oauth|guard|store|sharing|net|runtime|doctor)/",
         r"^src/runtime/(check_options|client_(environment|impl))\.cpp$"),
    Rule(r"\boptions_?\.access_token\b", "past Client::make the given token is in one place",
         r"^src/(oauth|guard|store|sharing|net|runtime|engine|doctor)/",
         r"^src/runtime/(check_options|client_(environment|impl))\.cpp$"),
    Rule(r"\bco_(await|yield|return)\b", "machines are plain functions",
         f"^src/({'|'.join(sorted(layers.PURE))})/"),
]
# These look at the whole text, comments and all. Written so that this file does not match itself.
TEXT_RULES = [
    Rule(r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b(?!\(#\d+\))", "give it an issue number: TO" "DO(#12)",
         r"\.(cpp|hpp|h|c|py|sh|mjs|txt|cmake|md|json)$|^(check|quickstart)$"),
    Rule(r"(?<![\w./])/(?:wo" r"rk|ro" r"ot)/|/tmp/bui" r"ld-", "a path of one machine",
         r"."),
    Rule(r"\b(registry\.npm" r"js|registry\.yarn" r"pkg|deb\.deb" r"ian|py" r"pi)\.(org|com)\b",
         "a package registry's host", r"."),
]


def strip(text):
    """The code of a C++ text: comments and what stands in quotes blanked, each line kept."""
    token = re.compile(
        r'^\s*#\s*include[^\n]*|//(?:\\\n|[^\n])*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
        re.DOTALL | re.MULTILINE)

    def blank(match):
        found = match.group(0)
        if found[0] == "'" and match.start() and text[match.start() - 1].isalnum():
            return found  # a digit separator, 1'000
        mark = '"' if found[0] in '"R' else ""
        return mark + re.sub(r"[^\n]", " ", found[len(mark):len(found) - len(mark)]) + mark

    return token.sub(blank, text)


CONTROL = re.compile(r"^\s*(if|for|while|switch|catch|else|do|try|namespace|class|struct|enum|union"
                     r"|extern|return|case|default)\b")
# A member initialized in braces: what precedes the brace is a name, not a closing bracket.
MEMBER_INIT = re.compile(r"\)[^;{}]*[^:]:(?!:)(?:[^;{}]*[,\s])?[\w:<>]+\s*$", re.DOTALL)


def functions(code):
    """(line of the opening brace, number of lines) of each outermost function body."""
    code = list(code)
    head, stack, body = 0, [], None  # body: (depth, position) of the function we are in
    for at, mark in [(m.start(), m.group(0)) for m in re.finditer(r"[{};]", "".join(code))]:
        if mark == "{":
            before = "".join(code[head:at]) if body is None else ""
            init = MEMBER_INIT.search(before) is not None
            if not init and "(" in before and not CONTROL.match(before):
                body = (len(stack), at)
            stack.append((head, at) if init else None)
        elif mark == "}" and stack:
            init = stack.pop()
            if init:  # a member's initializer: the head that it stands in goes on
                head, opening = init
                code[opening], code[at] = "(", ")"
                continue
            if body is not None and len(stack) == body[0]:
                yield line_of("".join(code), body[1]), code[body[1]:at].count("\n") + 1
                body = None
        head = at + 1


def line_of(text, at):
    return text.count("\n", 0, at) + 1


def check_code(name, text):
    code = strip(text)
    for rule in CODE_RULES:
        if rule.applies(name):
            for match in rule.pattern.finditer(code):
                yield line_of(code, match.start()), rule.why
    for line, length in functions(code):
        if length > MAX_FUNCTION_LINES:
            yield line, f"a function of {length} lines; at most {MAX_FUNCTION_LINES}"


PUBLIC_HEADER = re.compile(r"^include/skewguard/[^/]+\.hpp$")
# At the left margin; a forward declaration needs no comment.
DECLARATION = re.compile(r"^(?!namespace\b|(class|struct|enum)[\w\s]*;)[A-Za-z\[]")


def check_docstrings(text):
    """Each declaration of a public header's namespace, or the group that it stands in without a
    blank line, begins with a `///`, or has a `///<`. Members are the reader's to judge: many a
    name says all."""
    text = re.sub(r"^namespace detail \{$.*?^\}  // namespace detail$",
                  lambda inner: "\n" * inner.group(0).count("\n"), text,
                  flags=re.DOTALL | re.MULTILINE)
    lines = text.split("\n")
    for number, line in enumerate(lines[1:], 2):
        if DECLARATION.match(line) and not lines[number - 2].strip() and "///<" not in line:
            yield number, "a public name without a docstring (///)"


def check_text(name, text):
    path = Path(name)
    width = path.suffix in WIDTH_CHECKED or path.name in WIDTH_CHECKED_NAMES
    for number, line in enumerate(text.split("\n"), 1):
        if width and len(line) > MAX_COLUMNS and RAW_STRING not in line:
            yield number, f"{len(line)} columns; at most {MAX_COLUMNS}"
        if line != line.rstrip():
            yield number, "trailing blanks"
    if text and not text.endswith("\n"):
        yield line_of(text, len(text)), "no newline at the end"
    for rule in TEXT_RULES:
        if rule.applies(name):
            for match in rule.pattern.finditer(text):
                yield line_of(text, match.start()), rule.why


def listed(root, name):
    """Whether the nearest CMakeLists.txt, or a .cmake file beside it, names this source file."""
    path = root / name
    for folder in path.parents:
        cmake = folder / "CMakeLists.txt"
        if cmake.is_file():
            text = "\n".join(f.read_text(encoding="utf-8")
                             for f in [cmake, *sorted(folder.glob("*.cmake")),
                                       *sorted(path.parent.glob("*.cmake"))])
            relative = path.relative_to(folder)
            names = {re.escape(str(relative)), re.escape(str(relative.with_suffix("")))}
            return re.search(rf"(?:^|[^\w/]|}}/)({'|'.join(names)})(?![\w/])", text) is not None
        if folder == root:
            break
    return False


def files(root):
    """Every file that is, or is about to be, tracked."""
    if not (root / ".git").exists():
        return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                           cwd=root, check=True, capture_output=True).stdout.decode()
    return sorted(n for n in set(names.split("\0")) if n and (root / n).is_file())


def check(root):
    """One message for each broken rule under `root`."""
    problems = []
    for name in files(root):
        path = root / name
        if path.suffix in NOT_TEXT or NOT_OURS.search(name) or path.is_symlink():
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found = list(check_text(name, text))
        if path.suffix in CXX:
            found += check_code(name, text)
        if PUBLIC_HEADER.match(name):
            found += check_docstrings(text)
        if path.suffix == ".cpp" and not listed(root, name):
            found.append((1, "no CMake target lists it"))
        problems += [f"{name}:{line}: {why}" for line, why in sorted(found)]
    return problems


def long_function(lines, head="int f() {"):
    return head + "\n" + "  g();\n" * (lines - 2) + "}\n"


SAMPLES = {  # file: (text, words of each problem expected)
    "src/guard/clock.cpp": ("auto t = std::chrono::system_clock::now();\n", ["reads clocks"]),
    "src/system/clock.cpp": ("auto t = std::chrono::steady_clock::now();\n", []),
    "src/net/sleep.cpp": ("void f() { std::this_thread::sleep_for(1s); }\n", ["sleeps"]),
    "src/net/print.cpp": ("void f() { std::cout << 1; snprintf(b, 1, x); }\n", ["prints"]),
    "src/cli/print.cpp": ("void f() { std::cout << 1; }\n", []),
    "src/net/dice.cpp": ("int f() { return rand(); }\nint operand(int);\n", ["seeded"]),
    "src/net/heap.cpp": ("void f() { auto* p = new int; delete p; }\n",
                         ["bare new", "bare delete"]),
    "src/net/no_heap.cpp": ("#include <new>\n"
                            "struct A { A(const A&) = delete; };  // a new one, to delete\n"
                            "void* operator new(std::size_t);\nconst char* s = \"new\";\n", []),
    "src/net/assert.cpp": ("void f() { assert(a && b); }\n", ["each condition"]),
    "src/net/assert_text.cpp": ("void f() { assert(a && \"why\"); }\n", []),
    "src/guard/coroutine.cpp": ("task f() { co_await g(); }\n", ["plain functions"]),
    "src/net/coroutine.cpp": ("task f() { co_await g(); }\n", []),
    "src/runtime/keeps.cpp": ("auto mine = options.client_secrets;\n", ["only grants"]),
    "src/runtime/client_impl.cpp": ("auto mine = options.client_secrets;\n", []),
    "src/engine/given.cpp": ("auto mine = uses_.options.access_token;\n", ["in one place"]),
    "src/net/later.cpp": ("// TO" "DO tidy\n// TO" "DO(#12) fine\n", ["issue number"]),
    "src/net/unlisted.cpp": ("int x;\n", ["no CMake target"]),
    "src/net/long.cpp": (long_function(71), ["71 lines"]),
    "src/net/just.cpp": (long_function(70), []),
    "src/net/made.cpp": (long_function(71, "A::A(int x)\n    : a_{x}, b_(x), c_{x, {1}} {"),
                         ["71 lines"]),
    "src/net/named.cpp": ("namespace a {\n" + "int x;\n" * 80 + "}\n", []),
    "src/net/member.cpp": ("class A {\n" + long_function(72, "void f() const noexcept {") + "};\n",
                           ["72 lines"]),
    "src/net/wide.cpp": ("// " + "x" * 98 + "\n// " + "x" * 97 + "\n", ["101 columns"]),
    "src/net/blank.cpp": ("int x; \n", ["trailing"]),
    "src/net/cut.cpp": ("int x;", ["no newline"]),
    "include/skewguard/bare.hpp": (
        "namespace skewguard {\n\nstruct A {\n  int x;\n};\n\n"
        "/// Why.\nstruct B {};\nint f(B b);\n\nstruct C;\n\nusing D = B;\n\n"
        "template <typename T>\nint g(T t);\n\nint h();  ///< well\n\n"
        "enum class E {\n  one,\n};\n\n[[nodiscard]] int i();\n\n"
        "namespace detail {\n\nint j();\n\n}  // namespace detail\n\n}  // namespace skewguard\n",
        ["docstring"] * 5),
    "include/skewguard/testing/bare.hpp": ("\nstruct A {};\n", []),
    "src/net/bare.hpp": ("\nstruct A {};\n", []),
    "docs/path.md": ("see /wo" "rk/main\n", ["one machine"]),
    "docs/host.md": ("https://registry.npm" "js.org/x\n", ["registry"]),
    "src/CMakeLists.txt": ("", []),
}


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, (text, _) in SAMPLES.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        sources = [n[4:] for n in SAMPLES if n.endswith(".cpp") and "unlisted" not in n]
        (root / "src/CMakeLists.txt").write_text("\n".join(sources) + "\n", encoding="utf-8")
        problems = check(root)
    for name, (_, expected) in SAMPLES.items():
        found = [p for p in problems if p.startswith(name + ":")]
        if len(found) != len(expected) or not all(any(e in f for f in found) for e in expected):
            sys.exit(f"self-test: {name}: expected {expected}, found {found}")
    print(f"tidy_test: self-test of {len(SAMPLES)} samples ok")


if __name__ == "__main__":
    script.run(check, self_test, "tidy_test: the house rules hold")
