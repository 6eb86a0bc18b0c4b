//! Maps that hold maps, and programs that a program array holds: proved by what the filter does with them.

use crate::support::objects::compile;
use crate::support::process::{run, run_with_input};
use crate::support::server::HttpServer;
use crate::support::text;

const DEFINITIONS: &str = "
    #define __array(FIELD, T) typeof(T) *FIELD[]
    #define BPF_MAP_TYPE_PROG_ARRAY 3
    #define BPF_MAP_TYPE_ARRAY_OF_MAPS 12
    static long (*const bpf_tail_call)(void *ctx, void *map, __u32 index) = (void *)12;
    struct counter { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u64); };
";

#[test]
#[ignore = "needs CAP_BPF"]
fn a_slot_of_a_map_of_maps_leads_to_the_map_that_the_object_put_there() {
    let made = compile(&format!(
        "{DEFINITIONS}
         struct counter first SEC(\".maps\"), second SEC(\".maps\");
         static struct counter third SEC(\".maps\");
         struct {{
             __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS); __uint(max_entries, 8); __type(key, __u32); __array(values, struct counter);
         }} counters SEC(\".maps\") = {{ .values = {{ [1] = &first, [3] = &second, [6] = &third }} }};
         static void add(__u32 slot, __u64 n)
         {{
             __u32 zero = 0;
             void *counter = bpf_map_lookup_elem(&counters, &slot);
             __u64 *value = counter ? bpf_map_lookup_elem(counter, &zero) : 0;
             if (value)
                 __sync_fetch_and_add(value, n);
         }}
         SEC(\"socket\") int count(struct __sk_buff *skb) {{ add(3, 1); add(6, 1000); add(0, 7); return skb->len; }}"
    ));
    let server = HttpServer::start();
    let args = ["load", &made.path(), "--connect", &server.target(), "--json"];
    let ran = run_with_input(args, HttpServer::REQUEST).expect(0);
    let value = |map: &str| ran.map(map)["entries"][0]["value"].as_u64().unwrap();
    let runs = ran.summary()["run_cnt"].as_u64().unwrap();
    assert!(runs > 2, "{runs}");
    assert_eq!((value("first"), value("second"), value("third")), (0, runs, 1000 * runs));
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_program_array_takes_its_siblings_along() {
    let made = compile(&format!(
        "{DEFINITIONS}
         __u64 called;
         int second(struct __sk_buff *skb);
         struct {{
             __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 4); __uint(key_size, 4);
             __array(values, int (struct __sk_buff *));
         }} programs SEC(\".maps\") = {{ .values = {{ [2] = &second }} }};
         SEC(\"?socket\") int second(struct __sk_buff *skb) {{ __sync_fetch_and_add(&called, 1); return skb->len; }}
         SEC(\"socket\") int first(struct __sk_buff *skb) {{ bpf_tail_call(skb, &programs, 2); return 0; }}"
    ));
    let lines = run(["check", &made.path(), "--json"]).expect(0).kind("program");
    let verdicts: Vec<_> = lines.iter().map(|line| (text(line, "name"), text(line, "verdict"))).collect();
    assert_eq!(verdicts, [("second", "loaded"), ("first", "loaded")]);

    // Only the tail call keeps packets: without it the connection would hang.
    let server = HttpServer::start();
    let args = ["load", &made.path(), "--connect", &server.target(), "--json"];
    let ran = run_with_input(args, HttpServer::REQUEST).expect(0);
    assert!(ran.map(".bss")["entries"][0]["value"]["called"].as_u64().unwrap() > 2);
    assert_eq!(ran.summary()["bytes_received"].as_u64().unwrap(), server.answer().len() as u64);
}

#[test]
#[ignore = "needs CAP_BPF"]
fn a_sibling_that_cannot_be_linked_is_the_reason_why_the_other_cannot() {
    let made = compile(&format!(
        "{DEFINITIONS}
         extern int nowhere(struct __sk_buff *skb);
         int second(struct __sk_buff *skb);
         struct {{
             __uint(type, BPF_MAP_TYPE_PROG_ARRAY); __uint(max_entries, 1); __uint(key_size, 4);
             __array(values, int (struct __sk_buff *));
         }} programs SEC(\".maps\") = {{ .values = {{ &second }} }};
         SEC(\"socket\") int second(struct __sk_buff *skb) {{ return nowhere(skb); }}
         SEC(\"socket\") int first(struct __sk_buff *skb) {{ bpf_tail_call(skb, &programs, 0); return 0; }}
         SEC(\"socket\") int alone(struct __sk_buff *skb) {{ return skb->len; }}"
    ));
    let lines = run(["check", &made.path(), "--json"]).expect(3).kind("program");
    let verdict = |name: &str| {
        let line = lines.iter().find(|line| line["name"] == name).unwrap();
        (text(line, "verdict").to_owned(), line["error"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(verdict("alone").0, "loaded");
    assert_eq!(verdict("second").0, "unlinkable");
    let (first, error) = verdict("first");
    assert_eq!(first, "unlinkable");
    assert!(error.contains("a program array that it uses holds `second`") && error.contains("`nowhere`"), "{error}");
}
