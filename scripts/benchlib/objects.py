"""The objects that are loaded: generated in C, built with clang 14."""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

HEAD = '#include "skb.h"\n'
LICENSE = 'char _license[] SEC("license") = "GPL";\n'
MAP = (
    "#define MAP(NAME) struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 4); __type(key, __u32); "
    '__type(value, __u64); } NAME SEC(".maps");\n'
)
KERNEL_TYPES = (
    "task_struct sk_buff sock net_device file inode dentry mm_struct cred nsproxy pid socket net rq page bio request "
    "super_block module cgroup"
).split()


def lookups(maps, programs, each):
    """Programs that count in so many maps each, one after the other; every map is used."""
    text = HEAD + MAP + "".join(f"MAP(m{i})\n" for i in range(maps))
    for program in range(programs):
        text += f'SEC("socket") int p{program}(struct __sk_buff *skb)\n{{ __u32 key = 0; __u64 *value;\n'
        for number in range(each):
            text += f"value = bpf_map_lookup_elem(&m{(program * each + number) % maps}, &key); if (value) *value += {number};\n"
        text += "return skb->len; }\n"
    return text + LICENSE


def small_programs(count):
    text = HEAD + MAP + "".join(f"MAP(m{i})\n" for i in range(4))
    for program in range(count):
        text += f'SEC("socket") int p{program}(struct __sk_buff *skb) {{ __u32 key = {program}; '
        text += f"return bpf_map_lookup_elem(&m{program % 4}, &key) ? skb->len : {program}; }}\n"
    return text + LICENSE


def core():
    """Sizes and existence of twenty of the kernel's types, all of which the header of this kernel's types describes."""
    text = '#include "vmlinux.h"\n#define SEC(NAME) __attribute__((section(NAME), used))\nvolatile unsigned long long out[64];\n'
    text += 'SEC("socket") int core(struct __sk_buff *skb)\n{\n'
    for number, name in enumerate(KERNEL_TYPES):
        kind = "__builtin_preserve_type_info(*(struct %s *)0, %d)"
        text += f"out[{number}] = {kind % (name, 1)} + {kind % (name, 0)};\n"
    for number, (name, field) in enumerate([("task_struct", "pid"), ("sk_buff", "len"), ("net_device", "ifindex"), ("inode", "i_ino")]):
        text += f"out[{20 + number}] = __builtin_preserve_field_info(((struct {name} *)0)->{field}, 0);\n"
    return text + "return skb->len;\n}\n" + LICENSE


SOURCES = {
    "tiny": HEAD + 'SEC("socket") int tiny(struct __sk_buff *skb) { return skb->len; }\n' + LICENSE,
    "typical": None,  # bpf-src/count.bpf.o
    "CO-RE, 20 types": core(),
    "100 maps": lookups(100, 2, 50),
    "10,000 insns": lookups(10, 1, 1120),
    "100,000 insns": lookups(10, 1, 11120),
    "200 programs": small_programs(200),
}


def compiled(work, name, text):
    """The object of a source."""
    source, obj = work / "source.c", work / (re.sub(r"\W+", "-", name) + ".o")
    source.write_text(text)
    clang = ["clang-14", "--target=bpf", "-O2", "-g", "-mcpu=v3", "-w", f"-I{ROOT}/bpf-src", f"-I{work}"]
    subprocess.run([*clang, "-c", source, "-o", obj], check=True)
    subprocess.run(["llvm-strip-14", "-g", obj], check=True)
    return obj


def build(work):
    """Every object, by name."""
    types = subprocess.run(["bpftool", "btf", "dump", "file", "/sys/kernel/btf/vmlinux", "format", "c"], check=True, capture_output=True)
    (work / "vmlinux.h").write_bytes(types.stdout)
    return {name: ROOT / "bpf-src/count.bpf.o" if text is None else compiled(work, name, text) for name, text in SOURCES.items()}
