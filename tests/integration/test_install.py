"""What `cmake --install` leaves, used as another project would: by find_package and by pkg-config,
from a prefix that was moved. The build folder is the one that the program under test lies in."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from harness import HUNG_S, ROOT, SKEWGUARD, EndToEnd

BUILD = Path(SKEWGUARD).parent
PROJECTS = ROOT / "tests/install"
CXX = ["c++", "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]
# Each folder of src/ is a namespace, and private.
INNER = "|".join(p.name for p in (ROOT / "src").iterdir() if p.is_dir())
PUBLIC = re.compile(r"((typeinfo|typeinfo name|vtable) for )?"
                    rf"skewguard::(?!({INNER}|detail|Client::Impl)::)")


def run(*command, **more):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=HUNG_S, check=False, **more)
    if done.returncode != 0:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}")
    return done.stdout


class Installed(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        scratch = Path(cls.scratch.name)
        run("cmake", "--install", BUILD, "--prefix", scratch / "first")
        cls.prefix = scratch / "moved here"
        os.rename(scratch / "first", cls.prefix)
        cls.include = cls.prefix / "include"
        cls.library = next(cls.prefix.rglob("libskewguard.so"))

    def headers(self):
        return sorted((self.include / "skewguard").glob("*.hpp"))

    def build(self, project):
        """The program of a CMake project outside of the tree."""
        source = Path(self.scratch.name) / project
        shutil.copytree(PROJECTS / project, source, dirs_exist_ok=True)
        run("cmake", "-S", source, "-B", source / "build", "-G", "Ninja",
            "-DCMAKE_BUILD_TYPE=Debug", f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run("cmake", "--build", source / "build")
        return source / "build"

    def output_of(self, program, emulator, **more):
        out = run(program, env=self.environment(emulator.login, emulator.api, **more))
        self.assert_no_secrets(out)
        return out

    def assert_guards(self, program, **more):
        """The stack of the sample refuses the first token: a second one is asked for."""
        emulator = self.emulator()
        out = self.output_of(program, emulator, **more)
        self.assertEqual(out, "200 after 2 token requests\n")
        self.assertEqual(emulator.token_requests(), 2)

    def test_find_package_to_a_guarded_call_in_under_25_lines(self):
        lines = (PROJECTS / "sample/main.cpp").read_text(encoding="utf-8").splitlines()
        self.assertLess(len(lines), 25)
        self.assert_guards(self.build("sample") / "sample")

    def test_the_same_by_pkg_config(self):
        found = self.prefix.rglob("skewguard.pc")
        flags = self.pkg_config(next(found).parent, "--cflags", "--libs")
        program = Path(self.scratch.name) / "by_pkg_config"
        run(*CXX, PROJECTS / "sample/main.cpp", *flags, "-o", program)
        self.assertIn("libskewguard.so.0.1", run("objdump", "-p", program))
        self.assert_guards(program, LD_LIBRARY_PATH=str(self.library.parent))
        self.assert_catches(program, LD_LIBRARY_PATH=str(self.library.parent))

    def test_the_line_of_the_guide_gives_a_program_that_starts(self):
        folder = self.built_by_the_guide("library.md", "c++", PROJECTS / "sample/main.cpp",
                                         "skewguard.pc")
        self.assert_guards(folder / "app")

    def test_the_examples_build_from_a_copy_of_their_folder(self):
        source = Path(self.scratch.name) / "copied examples"
        shutil.copytree(ROOT / "examples", source)
        run("cmake", "-S", source, "-B", source / "build", "-G", "Ninja",
            f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run("cmake", "--build", source / "build")
        emulator = self.emulator()
        self.assertIn("200\n", self.output_of(source / "build/asio_coroutine", emulator))
        self.assertIn("ok: ", self.output_of(source / "build/test_your_program", emulator))

    def assert_catches(self, program, **more):
        """What the library throws, the program knows by its type."""
        ended = subprocess.run([program], capture_output=True, text=True, timeout=HUNG_S,
                               check=False, env={"HOME": self.scratch.name, **more})
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertRegex(ended.stdout, r"\Aconfig: .+\n\Z")

    def pkg_config(self, folder, *arguments, package="skewguard"):
        told = run("pkg-config", *arguments, package,
                   env={**os.environ, "PKG_CONFIG_PATH": str(folder)})
        return [re.sub(r"\\(.)", r"\1", f) for f in re.findall(r"(?:\\.|\S)+", told)]

    def test_asio_users_bring_their_own_loop(self):
        build = self.build("asio")
        self.assertNotIn("libskewguard", run("objdump", "-p", build / "sample_asio"))
        emulator = self.emulator()
        self.assertEqual(self.output_of(build / "sample_asio", emulator), "200\nconfig\n200\n")
        self.assertEqual(emulator.token_requests(), 1)

    def test_users_test_their_programs_beside_either_library(self):
        build = self.build("testing")
        for program in ("sample_test", "sample_test_asio"):
            self.assertEqual(run(build / program), "200 and none refused\n")

    def test_users_test_their_programs_by_pkg_config(self):
        found = next(self.prefix.rglob("skewguard-testing.pc")).parent
        flags = self.pkg_config(found, "--cflags", "--libs", package="skewguard-testing")
        program = Path(self.scratch.name) / "test_by_pkg_config"
        run(*CXX, PROJECTS / "testing/main.cpp", *flags, "-o", program)
        self.assertEqual(run(program, env={"LD_LIBRARY_PATH": str(self.library.parent)}),
                         "200 and none refused\n")

    def included_by(self, header):
        source = Path(self.scratch.name) / "one_header.cpp"
        source.write_text(f"#include <{header}>\n", encoding="utf-8")
        said = run(*CXX, "-I", self.include, "-fsyntax-only", "-H", source)
        return {os.path.realpath(p) for p in re.findall(r"^\.+ (.*)$", said, re.MULTILINE)}

    def test_each_header_stands_alone_on_the_standard_library(self):
        standard = self.included_by("bits/stdc++.h")
        own = {os.path.realpath(h) for h in self.headers()}
        for header in self.headers():
            with self.subTest(header.name):
                used = self.included_by(header.relative_to(self.include))
                self.assertIn(os.path.realpath(header), used)
                if header.name == "asio.hpp":
                    self.assertTrue(any("/boost/asio/" in p for p in used))
                else:
                    self.assertEqual(used - standard - own, set())

    def test_the_examples_of_the_guide_compile(self):
        guide = (ROOT / "docs/guide/library.md").read_text(encoding="utf-8")
        examples = re.findall(r"^```cpp\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)
        self.assertGreater(len(examples), 5)
        whole = [e for e in examples if e.startswith("#include")]
        built = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "examples").glob("*.cpp"))
        parts = [e for e in examples if not e.startswith("#include") and e not in built]
        text = (PROJECTS / "guide.hpp").read_text(encoding="utf-8") + "".join(whole)
        for number, part in enumerate(parts):
            text += f"void part_{number}() {{\n{part}}}\n"
        source = Path(self.scratch.name) / "guide.cpp"
        source.write_text(text, encoding="utf-8")
        run(*CXX, "-Wno-unused-variable", "-Wno-shadow", "-I", self.include, "-fsyntax-only",
            source)

    def test_the_installed_program_runs(self):
        self.assertRegex(run(self.prefix / "bin/skewguard", "version"), r"^skewguard \d")

    def test_the_notices_cover_every_library_that_is_used(self):
        notices = next(self.prefix.rglob("THIRD_PARTY_NOTICES")).read_text(encoding="utf-8")
        rows = [[cell.strip() for cell in line.strip("|").split("|")]
                for line in notices.splitlines() if line.startswith("| ")]
        covered = {row[0].split()[0] for row in rows}
        wanted = re.findall(r"^find_package\((\w+)",
                            (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"), re.MULTILINE)
        self.assertEqual(set(wanted) - covered, {"Threads"})  # which is the C library
        shared = {name for row in rows for name in row[1].split(", ")}
        for binary in (self.prefix / "bin/skewguard", self.library):
            linked = re.findall(r"NEEDED +(\S+?)\.so", run("objdump", "-p", binary))
            self.assertGreater(len(linked), 3)
            self.assertEqual(set(linked) - shared, set())
        for license_text in ("Permission is hereby granted", "Redistribution and use in source",
                             "Boost Software License - Version 1.0"):
            self.assertIn(license_text, notices)
        self.assertIn("Apache License", next(self.prefix.rglob("LICENSE")).read_text("utf-8"))

    def test_only_public_names_leave_the_library(self):
        versioned = [line.split(None, 2)[2] for line in
                     run("nm", "-DC", "--defined-only", self.library).splitlines()]
        node = "SKEWGUARD_0.1"  # the soname's version: a program finds the library it was built for
        versioned.remove(node)
        self.assertEqual([n for n in versioned if not n.endswith(f"@@{node}")], [])
        names = [n.removesuffix(f"@@{node}") for n in versioned]
        self.assertEqual([n for n in names if not PUBLIC.match(n)], [])
        said = "".join(h.read_text(encoding="utf-8") for h in self.headers()
                       if h.name not in ("asio.hpp", "testing.hpp"))  # in archives
        free = set(re.findall(r"^(?!\s|using|class|struct|enum).*?(\w+|operator==)\(.*;$", said,
                              re.MULTILINE))
        self.assertIn("to_json", free)
        for name in free:  # declared, so defined
            self.assertTrue(any(n.startswith(f"skewguard::{name}") for n in names), name)
        self.assertTrue(any(n.startswith("skewguard::Client::guard(") for n in names), names)
        for needed in ("typeinfo for", "typeinfo name for", "vtable for"):
            for name in ("Exception", "Transport"):  # thrown by us, derived by users
                self.assertIn(f"{needed} skewguard::{name}", names)

    def test_the_library_has_a_soname(self):
        self.assertRegex(run("objdump", "-p", self.library), r"SONAME +libskewguard\.so\.0\.1\n")

    def assert_requests(self, program, **more):
        """It is examples/c/requests.c, linked with the C library and with none else of ours."""
        linked = run("objdump", "-p", program)
        self.assertIn("libskewguard-c.so.0\n", linked)
        self.assertNotIn("libskewguard.so", linked)
        emulator = self.emulator()
        env = self.environment(emulator.login, emulator.api, **more)
        self.assertEqual(run(program, "GET", "/api/v2/tokens/me", env=env), "200\n")

    def test_the_line_of_the_guide_for_c_gives_a_program_that_starts(self):
        folder = self.built_by_the_guide("c.md", "cc", ROOT / "examples/c/requests.c",
                                         "skewguard-c.pc")
        self.assert_requests(folder / "requests")

    def built_by_the_guide(self, page, compiler, source, package):
        """The folder with what the page's line for pkg-config makes of this source."""
        guide = (ROOT / "docs/guide" / page).read_text(encoding="utf-8")
        line = re.search(rf"^    ({re.escape(compiler)} .*\$\(pkg-config[^\n]*\\\n.*)$", guide,
                         re.MULTILINE).group(1)
        folder = Path(self.scratch.name) / f"{source.stem}_by_the_guide"
        folder.mkdir()
        (folder / "prefix").symlink_to(self.prefix)  # a shell splits at the blank of the true one
        shutil.copy(source, folder)
        found = next(self.prefix.rglob(package)).parent.relative_to(self.prefix)
        run("sh", "-ec", line, cwd=folder,
            env={**os.environ, "PKG_CONFIG_PATH": str(folder / "prefix" / found)})
        return folder

    def test_a_c_project_finds_its_library_by_find_package(self):
        folder = Path(self.scratch.name) / "c"
        folder.mkdir()
        shutil.copy(ROOT / "examples/c/requests.c", folder)
        self.assert_requests(self.build("c") / "requests")

    def test_every_public_header_opens_the_public_namespace(self):
        for header in self.headers():
            if header.name not in ("asio.hpp", "export.hpp"):
                opened = re.findall(r"^namespace (.*) \{$", header.read_text(encoding="utf-8"),
                                    re.MULTILINE)
                self.assertIn("SKEWGUARD_API skewguard", opened, header.name)
