RUSTC_TARGET_ARCH := mipsel-unknown-linux-musl
RUST_ARCH_DEPENDS := @mipsel
CARGO_HOST_CONFIG_VARS := CARGO_HOME=/openwrt/cargo
