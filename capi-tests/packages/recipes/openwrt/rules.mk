# What OpenWrt has a recipe know, as far as that of ctrs asks: for its dry run.
INCLUDE_DIR := $(TOPDIR)/include
TARGET_CC := mipsel-openwrt-linux-musl-gcc
TARGET_CFLAGS := -Os -pipe -DopenWrt
TARGET_LDFLAGS := -znow -zrelro
INSTALL_DIR := install -d -m0755
CP := cp -fpR
TAR := tar
