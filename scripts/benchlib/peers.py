"""The loaders that take turns: minibpf, libbpf 1.7 and 1.1, aya. Each is told an object, and says how long it took.

All are linked statically, so that none pays for pages of a shared library that another does not have.
"""

import json
import os
import re
import subprocess

from .objects import ROOT

PEERS = ROOT / "tests/bench/peers"


def cargo(folder, *options, **also):
    """A static release build; returns the machine's name, below which cargo puts what it built."""
    host = re.search(r"host: (.*)", subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout)[1]
    # With --target the flags are the program's alone: what runs during the build is linked as ever.
    command = ["cargo", "build", "--quiet", "--release", "--target", host, *options]
    environment = {**os.environ, "RUSTFLAGS": "-C target-feature=+crt-static -C relocation-model=static"}
    return host, subprocess.run(command, check=True, cwd=folder, env=environment, **also).stdout


def example(name):
    """One of minibpf's examples."""
    host, _ = cargo(ROOT, "--example", name)
    return ROOT / f"target/{host}/release/examples/{name}"


def gcc(source, out, *options):
    """A program of tests/bench, stripped."""
    subprocess.run(["gcc", "-O2", "-w", "-s", ROOT / f"tests/bench/{source}.c", "-o", out, *options], check=True)
    return out


def libbpf_1_1(work, source="libbpf"):
    """Debian's libbpf, linked statically."""
    return gcc(source, work / f"{source}-1.1", "-static", "-lbpf", "-lelf", "-lz")


def crates():
    """Builds aya's peer, and libbpf 1.7 as the crate libbpf-sys carries it; returns the program, and where that library is."""
    # Beside minibpf's own, so that a second run need not build it again.
    options = ["--locked", "--target-dir", ROOT / "target/peers", "--message-format", "json"]
    _, told = cargo(PEERS, *options, stdout=subprocess.PIPE, text=True)
    messages = [json.loads(line) for line in told.splitlines()]
    built = [m["out_dir"] for m in messages if m["reason"] == "build-script-executed" and "libbpf-sys" in m["package_id"]]
    aya = [m["executable"] for m in messages if m["reason"] == "compiler-artifact" and m["target"]["name"] == "aya-load" and m["executable"]]
    return aya[0], built[0]


def build(work):
    """Every loader, by name; minibpf's first."""
    aya, libbpf = crates()
    static = ["-static", f"-I{libbpf}/include", f"-L{libbpf}", "-lbpf", "-lelf", "-lz"]
    return {
        "minibpf": example("bench_load"),
        "libbpf 1.7": gcc("libbpf", work / "libbpf-1.7", *static),
        "libbpf 1.1": libbpf_1_1(work),
        "aya 0.14": aya,
    }
