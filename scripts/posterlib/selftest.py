"""Whether the pictures of docs/images are what a page may show, and whether every sample has a poster."""

import pathlib
import re
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree as ET

from . import page
from .facts import Facts, Refused

SVG = "{http://www.w3.org/2000/svg}"
# All that a picture may be made of: nothing that runs, and nothing that brings in something else.
ELEMENTS = set("svg title desc style defs marker g path rect text tspan".split())


def fault(text):
    """What is wrong with a picture, or None."""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        return "a document type, which can name other files"
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        return f"not well-formed: {error}"
    for name in ("title", "desc"):
        found = root.find(SVG + name)
        if found is None or not (found.text or "").strip():
            return f"no <{name}>"
    for element in root.iter():
        name = element.tag.removeprefix(SVG)
        if name not in ELEMENTS:
            return f"element <{name}>"
        for key, value in element.attrib.items():
            if key.startswith("on") or key.endswith("href"):
                return f"attribute {key}"
            if re.search(r"url\((?!#)|javascript:|data:", value):
                return f"a reference: {value}"
        if name == "style" and re.search(r"url\(|@import|@font-face", element.text or ""):
            return "a style that brings in something else"
    return None


def run(root, minibpf):
    """Runs the tests; what to exit with."""
    samples = sorted([*root.glob("bpf-src/*.bpf.o"), *root.glob("bpf-src/broken/*.bpf.o"), *root.glob("bpf-src/programs/*.bpf.o")])
    count = root / "bpf-src/count.bpf.o"
    pictures = root / "docs/images"

    def poster(path):
        return page.poster(Facts(path, minibpf))

    class Pictures(unittest.TestCase):
        def test_each_is_well_formed_and_keeps_to_itself(self):
            found = sorted(pictures.glob("*.svg"))
            self.assertGreaterEqual(len(found), 6)
            for file in found:
                self.assertIsNone(fault(file.read_text("utf-8")), file.name)

        def test_what_no_picture_may_have_is_found(self):
            ok = '<svg xmlns="http://www.w3.org/2000/svg"><title>t</title><desc>d</desc>{}</svg>'
            self.assertIsNone(fault(ok.format("<text>x</text>")))
            for bad in ("<script/>", '<rect onclick="f()"/>', '<image href="a.png"/>', '<rect fill="url(http://x/)"/>', "<g>", "<style>@import 'x'</style>"):
                self.assertIsNotNone(fault(ok.format(bad)), bad)
            self.assertIsNotNone(fault('<svg xmlns="http://www.w3.org/2000/svg"><title>t</title></svg>'))

        def test_each_is_small_and_in_the_list(self):
            listed = (pictures / "README.md").read_text("utf-8")
            for file in pictures.glob("*.svg"):
                self.assertLess(file.stat().st_size, 300_000, file.name)
                self.assertIn(f"]({file.name})", listed)
                self.assertRegex(listed, rf"!\[[^\]]{{40,}}\]\(images/{re.escape(file.name)}\)")

    class Posters(unittest.TestCase):
        def test_each_sample_has_one_that_names_its_sections_programs_and_maps(self):
            self.assertGreater(len(samples), 50)
            for path in samples:
                svg, faults = poster(path)
                self.assertEqual(faults, [], path.name)
                self.assertIsNone(fault(svg), path.name)
                facts = Facts(path, minibpf)
                shown = [element.text or "" for element in ET.fromstring(svg).iter(SVG + "text")]
                here = [s["name"] for s in facts.sections if s["size"] and s["type"] not in ("NULL", "NOBITS")]
                names = [*here, f"program {facts.drawn['name']}", *(f"map {m['name']}" for m in facts.maps)]
                for name in names:
                    # A long name may be cut.
                    self.assertTrue(any(text.rstrip("…") and name.startswith(text.rstrip("…")) for text in shown), f"{path.name}: {name}")

        def test_larger_objects_have_one_of_either_byte_order(self):
            sources = sorted(root.glob("tests/matrix/*.c"))
            self.assertGreater(len(sources), 5)
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "object.o"
                for source in sources:
                    for target in ("bpf", "bpfeb"):
                        command = ["clang-14", f"--target={target}", "-mcpu=v3", "-O2", "-g", "-I", root / "bpf-src", "-c", source, "-o", path]
                        subprocess.run(command, check=True)
                        svg, faults = poster(path)
                        self.assertEqual(faults, [], f"{source.name} {target}")
                        self.assertIsNone(fault(svg))
                        self.assertLess(len(svg), 400_000)

        def test_the_same_object_gives_the_same_bytes(self):
            self.assertEqual(poster(count), poster(count))

        def test_each_instruction_and_each_record_of_count_is_on_it(self):
            svg, _ = poster(count)
            facts = Facts(count, minibpf)
            shown = {"".join(element.itertext()) for element in ET.fromstring(svg).iter(SVG + "text")}
            for _, slots, at in facts.drawn["pieces"]:
                for slot in range(slots):
                    self.assertIn(facts.bytes[at + 8 * slot : at + 8 * slot + 8].hex(" "), shown)
            for patch in facts.patches:
                self.assertIn(f"slot {patch['insn']}: {patch['symbol']}", shown)
            self.assertFalse([text for text in shown if text.startswith("… ")], "something of count.bpf.o is left out")

        def test_names_that_would_be_markup_are_text(self):
            hostile = count.read_bytes().replace(b"total_packets", b"</text>&\"'\x1b\x7f]")
            with tempfile.TemporaryDirectory() as folder:
                path = pathlib.Path(folder) / "<svg onload=x>.o"
                path.write_bytes(hostile)
                svg, faults = poster(path)
            self.assertEqual(faults, [])
            self.assertIsNone(fault(svg))
            self.assertIn("&lt;/text&gt;&amp;", svg)

        def test_what_is_no_object_is_refused(self):
            with tempfile.NamedTemporaryFile(suffix=".o") as file:
                file.write(count.read_bytes()[:100])
                file.flush()
                with self.assertRaises(Refused):
                    poster(file.name)

    suite = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromTestCase(case) for case in (Pictures, Posters))
    return 0 if unittest.TextTestRunner().run(suite).wasSuccessful() else 1
