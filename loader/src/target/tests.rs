use super::{config, symbols};

#[test]
fn a_version_is_three_numbers_of_a_byte_each_wherever_the_distribution_tells_it() {
    assert_eq!(config::version("", "#1 SMP PREEMPT_DYNAMIC", "6.18.44-fc"), 0x06_12_2c);
    assert_eq!(config::version("", "#1 SMP Debian 4.19.194-3 (2021-07-18)", "4.19.0-17-amd64"), 0x04_13_c2);
    assert_eq!(config::version("Ubuntu 5.4.0-12.15-generic 5.4.8", "#15 SMP", "5.4.0-12-generic"), 0x05_04_08);
    assert_eq!(config::version("", "", "4.9.337"), 0x04_09_ff, "a byte holds no more");
    assert_eq!(config::version("", "", "6.1"), 0x06_01_00);
    assert_eq!(config::version("", "", ""), 0);
}

#[test]
fn an_option_that_is_not_set_is_not_there() {
    let options = config::parse("# CONFIG_A is not set\nCONFIG_B=y\nCONFIG_C=\"a=b\"\n\nCONFIG_D=1000");
    let options: Vec<_> = options.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(options, [("CONFIG_B", "y"), ("CONFIG_C", "\"a=b\""), ("CONFIG_D", "1000")]);
}

#[test]
fn a_symbol_may_have_several_addresses_and_a_module() {
    let kallsyms = "ffffffff81000000 T one\nffffffff82000000 t two\nffffffff83000000 t two\n\
                    ffffffffc0000010 t three\t[module]\nffffffff82000000 t two\nffffffff84000000 t four.llvm.123\nx\n";
    let found = symbols::find(kallsyms, &["two", "three", "four", "five"]);
    assert_eq!(found["two"], [0xffff_ffff_8200_0000, 0xffff_ffff_8300_0000]);
    assert_eq!(found["three"], [0xffff_ffff_c000_0010]);
    assert_eq!(found["four"], [0xffff_ffff_8400_0000]);
    assert!(!found.contains_key("one") && !found.contains_key("five"));
}
