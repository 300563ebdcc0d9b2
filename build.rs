//! Gives the shared library its SONAME and hardened link flags.

fn main() {
    for flag in ["-soname,libctrs.so.0", "-z,relro", "-z,now", "-z,noexecstack"] {
        println!("cargo:rustc-cdylib-link-arg=-Wl,{flag}");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
