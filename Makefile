# make            builds libctrs.so, libctrs.a and the drop-in library
# make demo       shows it at work on a private network
# make check      everything that must hold
# make install    PREFIX=/usr/local LIBDIR=$(PREFIX)/lib DESTDIR=
# make install-compat  adds the drop-in libnetfilter_conntrack.so.3 and ctrs-run

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
BINDIR ?= $(PREFIX)/bin
DESTDIR ?=

CARGO ?= cargo
CC ?= cc
TARGET := $(or $(CARGO_TARGET_DIR),target)
RELEASE := $(TARGET)/release
STAGE := $(abspath $(TARGET))/stage
COMPAT := $(LIBDIR)/ctrs/compat
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
SONAME := libctrs.so.0
COMPAT_SONAME := libnetfilter_conntrack.so.3

# What the Rust standard library asks of the C library; the compiler adds its own unwinder.
STATIC_LIBS := -lutil -lrt -lpthread -lm -ldl -lc
HARDENED := -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack

.PHONY: all build stage install install-compat demo check check-dropin bench \
    bench-instructions fuzz miri deny deps clean

all: build

build:
	$(CARGO) rustc --release --lib --crate-type cdylib,staticlib
	$(CC) -shared -o $(RELEASE)/$(COMPAT_SONAME) -Wl,--whole-archive $(RELEASE)/libctrs.a \
	    -Wl,--no-whole-archive -Wl,--gc-sections -Wl,--version-script=pkgconfig/exports.map \
	    -Wl,-soname,$(COMPAT_SONAME) $(HARDENED) -Wl,--as-needed $(STATIC_LIBS)

define substitute
sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@LIBDIR@|$(LIBDIR)|g' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|g' \
    -e 's|@COMPAT@|$(COMPAT)|g' -e 's|@VERSION@|$(VERSION)|g' \
    -e 's|@STATIC_LIBS@|$(STATIC_LIBS)|g' \
    -e 's|@RELATIVE_COMPAT@|$(shell realpath -m --relative-to=$(BINDIR) $(COMPAT))|g'
endef

install: build
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)/ctrs/libnetfilter_conntrack
	install -m 755 -s $(RELEASE)/libctrs.so $(DESTDIR)$(LIBDIR)/$(SONAME:.0=).$(VERSION)
	ln -sf $(SONAME:.0=).$(VERSION) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libctrs.so
	install -m 644 $(RELEASE)/libctrs.a $(DESTDIR)$(LIBDIR)/libctrs.a
	strip --strip-debug $(DESTDIR)$(LIBDIR)/libctrs.a
	install -m 644 include/ctrs.h $(DESTDIR)$(INCLUDEDIR)/ctrs/
	install -m 644 include/libnetfilter_conntrack/*.h \
	    $(DESTDIR)$(INCLUDEDIR)/ctrs/libnetfilter_conntrack/
	$(substitute) pkgconfig/ctrs.pc.in > $(DESTDIR)$(LIBDIR)/pkgconfig/ctrs.pc

install-compat: install
	install -d $(DESTDIR)$(COMPAT) $(DESTDIR)$(BINDIR)
	install -m 755 -s $(RELEASE)/$(COMPAT_SONAME) $(DESTDIR)$(COMPAT)/$(COMPAT_SONAME)
	ln -sf $(COMPAT_SONAME) $(DESTDIR)$(COMPAT)/libnetfilter_conntrack.so
	$(substitute) pkgconfig/libnetfilter_conntrack.pc.in > \
	    $(DESTDIR)$(COMPAT)/libnetfilter_conntrack.pc
	$(substitute) pkgconfig/ctrs-run.in > $(DESTDIR)$(BINDIR)/ctrs-run
	chmod 755 $(DESTDIR)$(BINDIR)/ctrs-run

# An install of its own for the demo and the tests.
stage:
	@$(MAKE) --no-print-directory install-compat PREFIX=$(STAGE) LIBDIR=$(STAGE)/lib \
	    INCLUDEDIR=$(STAGE)/include BINDIR=$(STAGE)/bin DESTDIR=

deps:
	@capi-tests/deps.sh

demo: deps stage
	CTRS_STAGE=$(STAGE) CTRS_COMPAT_DIR=$(STAGE)/lib/ctrs/compat capi-tests/demo.sh

check: deps
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	@$(MAKE) --no-print-directory stage
	CTRS_STAGE=$(STAGE) capi-tests/check.sh

# All drop-in scenarios; CHURN_SECONDS=600 makes the last one last ten minutes.
check-dropin: deps stage
	CTRS_COMPAT_DIR=$(STAGE)/lib/ctrs/compat CHURN_SECONDS=$${CHURN_SECONDS:-60} \
	    capi-tests/dropin/run

# Measures against the system's library and writes docs/performance.md.
bench: deps stage
	benches/run times $(STAGE)

bench-instructions: deps stage
	benches/run instructions $(STAGE)

SECONDS ?= 60
FUZZ_TARGETS := message roundtrip api labels filter receive

# Fuzzes each target for so many seconds: make fuzz SECONDS=600. Needs the nightly toolchain and
# cargo-fuzz. New inputs go to fuzz/found, failures to fuzz/artifacts.
fuzz:
	@set -e; for target in $(FUZZ_TARGETS); do \
	    mkdir -p fuzz/found/$$target; \
	    $(CARGO) +nightly fuzz run -O --debug-assertions $$target fuzz/found/$$target \
	        fuzz/corpus/$$target -- -max_total_time=$(SECONDS) -timeout=10 -max_len=2048; \
	done

# Interprets the unit tests, and a tenth of the fuzz corpus through the C interface. Needs the
# nightly toolchain with the components miri and rust-src; half an hour.
miri:
	MIRIFLAGS=-Zmiri-disable-isolation $(CARGO) +nightly miri test --lib
	MIRIFLAGS=-Zmiri-disable-isolation $(CARGO) +nightly miri test -p capi-tests --test fuzz_corpus

# Licences, sources and known flaws of the dependencies. Needs cargo-deny, and the network for the
# list of flaws.
deny:
	$(CARGO) deny check

clean:
	$(CARGO) clean
