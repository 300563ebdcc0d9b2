################################################################################
#
# ctrs
#
################################################################################

# Of the tarball that make dist makes; what Cargo.lock names is added when it is fetched.
CTRS_VERSION = 0.2.0
CTRS_SOURCE = ctrs-$(CTRS_VERSION).tar.gz
CTRS_SITE = https://ctrs.invalid/releases
CTRS_LICENSE = MIT or Apache-2.0
CTRS_LICENSE_FILES = LICENSE-MIT LICENSE-APACHE
CTRS_INSTALL_STAGING = YES
CTRS_DEPENDENCIES = host-rustc
CTRS_DOWNLOAD_DEPENDENCIES = host-rustc
CTRS_DOWNLOAD_POST_PROCESS = cargo
CTRS_DL_ENV = $(PKG_CARGO_ENV)

CTRS_FEATURES = \
	$(if $(BR2_PACKAGE_CTRS_NFLOG),nflog) \
	$(if $(BR2_PACKAGE_CTRS_TIMEOUT),timeout) \
	$(if $(BR2_PACKAGE_CTRS_HELPER),helper) \
	$(if $(BR2_PACKAGE_CTRS_EXTENSIONS),extensions)

# Symbols are for Buildroot to strip.
CTRS_MAKE = $(TARGET_MAKE_ENV) $(PKG_CARGO_ENV) $(MAKE) -C $(@D) \
	CARGO_BUILD_TARGET="$(RUSTC_TARGET_NAME)" FEATURES="$(CTRS_FEATURES)" \
	CARGO_FLAGS="--offline --locked" \
	CC="$(TARGET_CC)" CFLAGS="$(TARGET_CFLAGS)" LDFLAGS="$(TARGET_LDFLAGS)" STRIP=: \
	PREFIX=/usr LIBDIR=/usr/lib

ifeq ($(BR2_PACKAGE_CTRS_COMPAT),y)
CTRS_INSTALL = install-compat-files COMPATDIR=/usr/lib
else
CTRS_INSTALL = install-lib
endif

define CTRS_BUILD_CMDS
	$(CTRS_MAKE) build
endef

define CTRS_INSTALL_STAGING_CMDS
	$(CTRS_MAKE) $(CTRS_INSTALL) DESTDIR=$(STAGING_DIR)
endef

define CTRS_INSTALL_TARGET_CMDS
	$(CTRS_MAKE) $(CTRS_INSTALL) DESTDIR=$(TARGET_DIR)
endef

$(eval $(generic-package))
