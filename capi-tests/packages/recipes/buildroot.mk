# What Buildroot has a recipe know, as far as that of ctrs asks: for its dry run.
RUSTC_TARGET_NAME := armv7-unknown-linux-gnueabihf
TARGET_CC := /host/bin/arm-buildroot-linux-gnueabihf-gcc
TARGET_CFLAGS := -Os -DbuildRoot
TARGET_LDFLAGS := -Wl,-zbuildRoot
TARGET_MAKE_ENV := PATH="/host/bin:$$PATH"
PKG_CARGO_ENV := CARGO_HOME=/host/cargo
STAGING_DIR := /staging
TARGET_DIR := /target

define generic-package
$(ROOT)/built:
	$$(CTRS_BUILD_CMDS)
$(ROOT)/staged:
	$$(CTRS_INSTALL_STAGING_CMDS)
$(ROOT)/installed:
	$$(CTRS_INSTALL_TARGET_CMDS)
endef

include $(RECIPE)
