# make            builds libctrs.so, libctrs.a and the drop-in libraries
# make demo       shows it at work on a private network
# make lint       format, clippy, and what the documentation links to
# make check      everything that must hold; as root, for some of it needs a root
# make check-user the same without root: names what did not run, and passes all the same
# make check-bare the same in a new Debian 12 of its own, on what is committed
# make install         what was built: libraries, headers, documents
# make install-compat  adds the drop-in libraries, in a folder of their own, and ctrs-run
# make install-system  adds a line for the loader, which gives all programs the drop-in libraries
# make uninstall       removes what these have installed, given the same variables
# make dist            the source as a tarball, with the same bytes from git and from an unpacked one
# make dist-vendor     the crates it needs as another, for builds without the network
# make deb             the packages of Debian, of packaging/debian
# make help            this
#
# Variables, of the environment or behind make:
#
# PREFIX=/usr/local, LIBDIR, INCLUDEDIR, BINDIR, DATADIR, DOCDIR, MANDIR, PKGCONFIGDIR, CMAKEDIR
#                 where it is installed, below DESTDIR
# COMPATDIR       where the drop-in libraries are, LIBDIR/ctrs/compat; with COMPATDIR=LIBDIR they take
#                 the originals' places, of which none may be there
# LDCONFDIR       where the loader reads in what folders to look, /etc/ld.so.conf.d
# FEATURES        what is in it beside the flow table: nflog timeout helper extensions
# CARGO, CARGO_FLAGS   cargo, and what it is told beside: --locked, --offline
# CARGO_BUILD_TARGET   the processor, as Rust calls it; else what cargo's configuration says
# CROSS_COMPILE   what its tools' names begin with, arm-linux-gnueabihf- and the like
# CC, CFLAGS, LDFLAGS  what links the shared libraries; else the linker of cargo's configuration
# STRIP           STRIP=: leaves symbols in, for packages that have them apart
# CARGO_TARGET_DIR     where all is built, and the tarballs are: target
# AWK             makes the manual of the headers, with any POSIX awk
# SOURCE_DATE_EPOCH    when the files in tarballs are of; else when the commit is
# SECONDS         how long make fuzz has for each target

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
BINDIR ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
DOCDIR ?= $(DATADIR)/doc/ctrs
MANDIR ?= $(DATADIR)/man
PKGCONFIGDIR ?= $(LIBDIR)/pkgconfig
CMAKEDIR ?= $(LIBDIR)/cmake/ctrs
COMPATDIR ?= $(LIBDIR)/ctrs/compat
LDCONFDIR ?= /etc/ld.so.conf.d
DESTDIR ?=
# Where ctrs-run finds them, a pattern in packages for several architectures.
RELATIVE_COMPATDIR = $(call relative,$(BINDIR),$(COMPATDIR))

ALL_FEATURES := nflog timeout helper extensions
FEATURES ?= $(ALL_FEATURES)
CARGO ?= cargo
CARGO_FLAGS ?=
CARGO_BUILD_TARGET ?= $(call configured,build.target)
# What cargo is told in its files. It shows that to nightly toolchains only, or to who says this.
configured = $(shell RUSTUP_AUTO_INSTALL=0 RUSTC_BOOTSTRAP=1 $(CARGO) -Zunstable-options config get \
    --format=json-value $(1) 2>/dev/null | tr -d '[]"')
# The processor, which a file may describe; nothing where it is not named.
TRIPLE := $(patsubst %.json,%,$(notdir $(CARGO_BUILD_TARGET)))
CROSS := $(and $(TRIPLE),$(filter-out $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p'),$(TRIPLE)))
# armv7-unknown-linux-gnueabihf is arm-linux-gnueabihf for others.
GNU_NAME := $(subst riscv64gc-,riscv64-,$(subst armv7-,arm-,$(subst -unknown-,-,$(TRIPLE))))
CROSS_COMPILE ?= $(addsuffix -,$(and $(CROSS),$(GNU_NAME)))
LINKER := $(and $(TRIPLE),$(call configured,target.$(TRIPLE).linker))
ifeq ($(origin CC),default)
CC := $(or $(LINKER),$(if $(CROSS_COMPILE),$(CROSS_COMPILE)gcc,cc))
endif
CFLAGS ?=
LDFLAGS ?=
# Some have a compiler for musl, and no binutils of its own.
STRIP ?= $(or $(and $(findstring musl,$(TRIPLE)),$(shell command -v $(CROSS_COMPILE)strip || \
    command -v strip)),$(CROSS_COMPILE)strip)
AWK ?= awk

TARGET := $(or $(CARGO_TARGET_DIR),target)
BUILD := $(TARGET)$(addprefix /,$(TRIPLE))
RELEASE := $(BUILD)/release
STAGE := $(abspath $(BUILD))/stage
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
SONAME := libctrs.so.0

# The libraries that drop-in ones take the place of: the file of each as its original is called. What it
# exports is in pkgconfig/NAME.map, and what pkg-config says of it in pkgconfig/NAME.pc.in.
DROP_INS := libnetfilter_conntrack.so.3.8.0
DROP_INS += $(and $(filter nflog,$(FEATURES)),libnetfilter_log.so.1.2.0)
DROP_INS += $(and $(filter timeout,$(FEATURES)),libnetfilter_cttimeout.so.1.0.0)
DROP_INS += $(and $(filter helper,$(FEATURES)),libnetfilter_cthelper.so.0.0.0)
# What programs take from an original without naming it: they use functions of libmnl, and do not start when
# nobody brings it. The drop-in library needs none of it.
NEEDED_libnetfilter_log := libnfnetlink.so.0 libmnl.so.0
NEEDED_libnetfilter_cttimeout := libmnl.so.0
NEEDED_libnetfilter_cthelper := libmnl.so.0

# Of libnetfilter_log.so.1.2.0: libnetfilter_log.so.1 and libnetfilter_log.
soname = $(basename $(basename $(1)))
name = $(firstword $(subst .so., ,$(1)))
NEEDED := $(sort $(foreach file,$(DROP_INS),$(NEEDED_$(call name,$(file)))))
# The headers of what is in it. What a program finds is left out, ctrs.h tells its compiler: CTRS_NO_NFLOG.
LEFT_OUT := $(filter-out $(FEATURES),$(ALL_FEATURES))
HEADERS_nflog := libnetfilter_log/%
HEADERS_timeout := libnetfilter_cttimeout/%
HEADERS_helper := libnetfilter_cthelper/%
HEADERS_extensions := ctrs.h
HEADERS = $(filter-out $(foreach feature,$(LEFT_OUT),$(HEADERS_$(feature)) ctrs.cdef),\
    $(shell cd include && find * -type f))
TELL_LEFT_OUT = sed -i $(foreach feature,$(shell echo $(LEFT_OUT) | tr a-z A-Z),\
    -e '/^.define CTRS_H$$/a \#define CTRS_NO_$(feature)') $(DESTDIR)$(INCLUDEDIR)/ctrs/ctrs.h
BUILT := $(RELEASE)/libctrs.so $(RELEASE)/libctrs.a \
    $(foreach file,$(DROP_INS),$(RELEASE)/$(call soname,$(file)))

# Where ldconfig and most of what the tests run is, and ordinary users do not look.
export PATH := $(PATH):/usr/local/sbin:/usr/sbin:/sbin

# What the Rust standard library asks of the C library; the compiler adds its own unwinder.
STATIC_LIBS := -lutil -lrt -lpthread -lm -ldl -lc
# The tests are a workspace of their own: what they depend on is not in the library's lock file.
TESTS := --manifest-path capi-tests/Cargo.toml
# What opt-level "s" leaves to the compiler's taste, also in what it takes of the standard library; and to
# the linker's, who pads code to whole pages. See the limits in capi-tests/tests/exports.rs.
SMALL := -C llvm-args=--inline-threshold=30 -C llvm-args=--inlinehint-threshold=75
UNPADDED := -Wl,-z,noseparate-code
# 28 KB of relocations in 1 KB, where the C library reads them, glibc since 2.36, and the linker writes
# them. What links for musl may take the C library of the machine for its own.
RELR := -Wl,-z,pack-relative-relocs
PACKED = $(if $(findstring musl,$(TRIPLE)),,$$( \
    grep -qs GLIBC_ABI_DT_RELR "$$($(CC) $(CFLAGS) -print-file-name=libc.so.6)" && \
    $(LINK) -nostdlib -o $(RELEASE)/needed/relr -Wl,--fatal-warnings $(RELR) -x c /dev/null \
    2>/dev/null && echo $(RELR)))
LINK = $(CC) $(CFLAGS) $(LDFLAGS) -shared
# Rust has an unwinder for musl, for where the compiler has none but that of the C library of the machine.
UNWINDER = $(if $(findstring musl,$(TRIPLE)),$$( \
    file="$$($(CC) $(CFLAGS) -print-file-name=libgcc_s.so.1)"; \
    if [ ! -e "$$file" ] || grep -q 'libc\.so\.6' "$$file"; then \
        echo "$$(rustc --print target-libdir --target $(CARGO_BUILD_TARGET))/self-contained/libunwind.a"; fi))
HARDENED := -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack

.PHONY: all build built stage install install-compat install-system install-lib install-doc install-man \
    install-files install-compat-files install-system-files uninstall dist dist-vendor help \
    deb demo lint check check-user check-bare check-targets check-reference check-packages check-musl \
    check-msrv check-features check-cargo-c check-dropin check-resize check-mirror bench bench-instructions \
    fuzz miri deny deps clean

all: build

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

build:
	@CARGO="$(CARGO)" capi-tests/deps.sh cargo build
	$(CARGO) rustc $(CARGO_FLAGS) --release --lib --crate-type staticlib \
	    --no-default-features --features "capi $(FEATURES)" -- $(SMALL)
	mkdir -p $(RELEASE)/needed
	$(call shared,$(RELEASE)/libctrs.so,$(SONAME),pkgconfig/ctrs.map)
	$(foreach library,$(NEEDED),$(call stub,$(library)))
	$(foreach file,$(DROP_INS),$(call drop_in,$(file)))

define drop_in
$(call shared,$(RELEASE)/$(call soname,$(1)),$(call soname,$(1)),pkgconfig/$(call name,$(1)).map,\
    $(addprefix $(RELEASE)/needed/,$(NEEDED_$(call name,$(1)))))

endef

# An empty library for the linker: the real one need not be there to build.
define stub
$(LINK) -nostdlib -o $(RELEASE)/needed/$(1) -Wl,-soname,$(1) -x c /dev/null

endef

# A shared library of the archive: its file, SONAME, exports, and what it needs without a use for it. The
# compiler makes them too, but gives its own list of exports to the linker, which takes no nodes beside it.
define shared
$(LINK) -o $(1) -Wl,--whole-archive $(RELEASE)/libctrs.a -Wl,--no-whole-archive \
    -Wl,--gc-sections -Wl,--version-script=$(3) -Wl,-soname,$(2) $(HARDENED) $(UNPADDED) $(PACKED) \
    -Wl,--no-as-needed $(4) -Wl,--as-needed $(UNWINDER) $(STATIC_LIBS)
endef

define substitute
sed -e 's|@PREFIX@|$(PREFIX)|g' -e 's|@LIBDIR@|$(LIBDIR)|g' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|g' \
    -e 's|@COMPATDIR@|$(COMPATDIR)|g' -e 's|@VERSION@|$(VERSION)|g' -e 's|@DOCDIR@|$(DOCDIR)|g' \
    -e 's|@FEATURES@|$(strip $(FEATURES))|g' \
    -e 's|@SONAMES@|$(foreach file,$(DROP_INS),$(call soname,$(file)))|g' \
    -e 's|@STATIC_LIBS@|$(STATIC_LIBS)|g' \
    -e 's|@RELATIVE_COMPATDIR@|$(RELATIVE_COMPATDIR)|g' \
    -e 's|@SONAME@|$(SONAME)|g' -e "s|@POINTER@|$(POINTER)|g" \
    -e 's|@FROM_CMAKEDIR_LIBDIR@|$(call relative,$(CMAKEDIR),$(LIBDIR))|g' \
    -e 's|@FROM_CMAKEDIR_INCLUDEDIR@|$(call relative,$(CMAKEDIR),$(INCLUDEDIR))|g'
endef

relative = $(shell realpath -m --relative-to=$(1) $(2))
# Bytes of a pointer, as the library's file says.
POINTER = $$((4 * 0$$(od -An -tu1 -j4 -N1 $(RELEASE)/libctrs.so | tr -d ' ')))

# Installs what is there and builds nothing: root need not have cargo.
install install-compat install-system: %: %-files
	$(loader)

built:
	@for file in $(BUILT); do [ -e $$file ] || { echo "nothing to install: no $$file; run make first," \
	    "as the user who has cargo (CARGO_TARGET_DIR tells where it built, CARGO_BUILD_TARGET for" \
	    "what processor)" >&2; exit 1; }; done

install-files: install-lib install-doc install-man

install-lib: built
	install -d $(DESTDIR)$(LIBDIR) $(DESTDIR)$(PKGCONFIGDIR) $(DESTDIR)$(CMAKEDIR)
	install -m 755 $(RELEASE)/libctrs.so $(DESTDIR)$(LIBDIR)/$(SONAME:.0=).$(VERSION)
	$(STRIP) $(DESTDIR)$(LIBDIR)/$(SONAME:.0=).$(VERSION)
	ln -sf $(SONAME:.0=).$(VERSION) $(DESTDIR)$(LIBDIR)/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libctrs.so
	install -m 644 $(RELEASE)/libctrs.a $(DESTDIR)$(LIBDIR)/libctrs.a
	$(STRIP) --strip-debug $(DESTDIR)$(LIBDIR)/libctrs.a
	for file in $(HEADERS); do \
	    install -D -m 644 include/$$file $(DESTDIR)$(INCLUDEDIR)/ctrs/$$file || exit 1; done
	$(and $(filter ctrs.h,$(HEADERS)),$(LEFT_OUT),$(TELL_LEFT_OUT))
	$(substitute) pkgconfig/ctrs.pc.in > $(DESTDIR)$(PKGCONFIGDIR)/ctrs.pc
	for file in ctrs-config.cmake ctrs-config-version.cmake; do \
	    $(substitute) pkgconfig/$$file.in > $(DESTDIR)$(CMAKEDIR)/$$file || exit 1; done

# The licences, and what a user reads: in folders as they are here, for the documents link to each other.
install-doc:
	for file in LICENSE-* README.md CHANGELOG.md SECURITY.md $$(find docs -type f) \
	    examples-c/*.c examples/*.rs examples-sh/*.sh; do \
	    install -D -m 644 $$file $(DESTDIR)$(DOCDIR)/$$file || exit 1; done

# Section 3 is made of the headers. Its suffix is ours alone: none of its pages is in another package's way.
install-man:
	install -d $(DESTDIR)$(MANDIR)/man3 $(DESTDIR)$(MANDIR)/man7
	LC_ALL=C $(AWK) -v out=$(DESTDIR)$(MANDIR)/man3 -v version=$(VERSION) -v docs=$(DOCDIR)/docs \
	    -v date="$$(sed -n 's/^\.Dd //p' man/ctrs.7.in)" -f man/headers.awk -f man/errors.awk \
	    -f man/prose.awk -f man/pages.awk $(sort $(addprefix include/,$(filter %.h,$(HEADERS))))
	$(substitute) man/ctrs.7.in > $(DESTDIR)$(MANDIR)/man7/ctrs.7

install-compat-files: install-files
	$(foreach file,$(DROP_INS),$(call yield,$(call soname,$(file)),$(call name,$(file))))
	install -d $(DESTDIR)$(COMPATDIR) $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man1
	$(foreach file,$(DROP_INS),$(call install_drop_in,$(file)))
	$(substitute) pkgconfig/ctrs-run.in > $(DESTDIR)$(BINDIR)/ctrs-run
	chmod 755 $(DESTDIR)$(BINDIR)/ctrs-run
	$(substitute) man/ctrs-run.1.in > $(DESTDIR)$(MANDIR)/man1/ctrs-run.1

# Stops before an original is overwritten: the module beside it is no hint at ctrs.
define yield
@[ ! -e $(DESTDIR)$(COMPATDIR)/$(1) ] || \
    grep -qs ': ctrs in place of' $(DESTDIR)$(COMPAT_MODULES)/$(2).pc || { \
    echo "$(DESTDIR)$(COMPATDIR)/$(1) is not of ctrs: it stays" >&2; exit 1; }

endef

define install_drop_in
install -m 755 $(RELEASE)/$(call soname,$(1)) $(DESTDIR)$(COMPATDIR)/$(1)
$(STRIP) $(DESTDIR)$(COMPATDIR)/$(1)
ln -sf $(1) $(DESTDIR)$(COMPATDIR)/$(call soname,$(1))
ln -sf $(1) $(DESTDIR)$(COMPATDIR)/$(call name,$(1)).so
$(substitute) pkgconfig/$(call name,$(1)).pc.in > $(DESTDIR)$(COMPAT_MODULES)/$(call name,$(1)).pc

endef

# Among the originals, the modules are where pkg-config looks; else nobody finds them who does not ask.
COMPAT_MODULES = $(if $(filter $(LIBDIR),$(COMPATDIR)),$(PKGCONFIGDIR),$(COMPATDIR))

# The loader takes the first library that it reads of, so the name sorts before the system's own.
install-system-files: install-compat-files
	install -d $(DESTDIR)$(LDCONFDIR)
	echo $(COMPATDIR) > $(DESTDIR)$(LDCONFDIR)/000-ctrs.conf

# Tells the loader of what is new in a folder where it looks; else says who has to.
define loader
@if [ -n "$(DESTDIR)" ]; then :; \
elif [ "$$(id -u)" = 0 ] && [ -e $(LDCONFDIR)/000-ctrs.conf ]; then ldconfig; \
elif ! ldconfig -vNX 2>/dev/null | sed -n 's|^\(/.*\): (.*|\1|p' | xargs -r realpath -m | \
    grep -qxF "$$(realpath -m $(LIBDIR))"; then \
    echo "programs do not look for libraries in $(LIBDIR): to start one that is linked with" \
        "-lctrs, set LD_LIBRARY_PATH=$(LIBDIR), or name it in /etc/ld.so.conf.d and run ldconfig"; \
elif [ "$$(id -u)" = 0 ]; then ldconfig; \
else echo "programs find the library once root has run ldconfig"; fi
endef

# What an install of nothing lays elsewhere is what goes, and of the folders those of ctrs that are empty.
uninstall:
	@set -e; work=$$(mktemp -d); trap 'rm -rf "$$work"' EXIT; \
	mkdir "$$work/built"; for file in $(notdir $(BUILT)); do : >"$$work/built/$$file"; done; \
	$(MAKE) -s install-system-files RELEASE="$$work/built" STRIP=: DESTDIR="$$work/laid"; \
	(cd "$$work/laid" && find . ! -type d) | while read -r file; do rm -f "$(DESTDIR)/$$file"; done; \
	(cd "$$work/laid" && find . -depth -type d -path '*/ctrs*') | while read -r folder; do \
	    rmdir "$(DESTDIR)/$$folder" 2>/dev/null || :; done; \
	[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || ldconfig

NAME := ctrs-$(VERSION)
# In an unpacked tarball all files have its time.
EPOCH = $(or $(SOURCE_DATE_EPOCH),$(shell \
    if [ -e .git ]; then git log -1 --format=%ct; else stat -c %Y Cargo.toml; fi))
# Nothing in a tarball tells who made it, where and when: the files, sorted, of a list or a folder.
TAR = LC_ALL=C sort | tar --format=ustar --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX \
    --mtime=@$(EPOCH) --no-recursion -c -T -

dist:
	@mkdir -p $(TARGET)
	if [ -e .git ]; then git ls-files; else \
	    find * .[!.]* ! -type d ! -path '$(TARGET)/*' ! -path 'vendor/*'; fi | \
	    $(TAR) --transform='s|^|$(NAME)/|' | gzip -n > $(TARGET)/$(NAME).tar.gz

# Unpacked in the source: make CARGO_FLAGS='--offline --config vendor/config.toml'.
dist-vendor:
	@rm -rf $(TARGET)/vendor
	$(CARGO) vendor --locked $(TARGET)/vendor >/dev/null
	printf '[source.%s]\n%s\n' crates-io 'replace-with = "vendor"' vendor 'directory = "vendor"' \
	    > $(TARGET)/vendor/config.toml
	cd $(TARGET) && find vendor -type f | $(TAR) | gzip -n > $(NAME)-vendor.tar.gz

# An install of its own for the demo and the tests, whatever the environment says.
STAGED := LIBDIR=$(STAGE)/lib INCLUDEDIR=$(STAGE)/include BINDIR=$(STAGE)/bin DATADIR=$(STAGE)/share \
    DOCDIR=$(STAGE)/share/doc/ctrs MANDIR=$(STAGE)/share/man PKGCONFIGDIR=$(STAGE)/lib/pkgconfig \
    CMAKEDIR=$(STAGE)/lib/cmake/ctrs COMPATDIR=$(STAGE)/lib/ctrs/compat

stage: build
	@$(MAKE) --no-print-directory install-compat-files PREFIX=$(STAGE) $(STAGED) DESTDIR=

deps:
	@CARGO="$(CARGO)" capi-tests/deps.sh cargo lint check

demo:
	@CARGO="$(CARGO)" capi-tests/deps.sh cargo demo
	@$(MAKE) --no-print-directory stage
	CTRS_STAGE=$(STAGE) CTRS_COMPAT_DIR=$(STAGE)/lib/ctrs/compat capi-tests/demo.sh

# The library as a Rust program has it, as C programs have it, and the tests.
lint:
	@CARGO="$(CARGO)" capi-tests/deps.sh cargo lint
	$(CARGO) fmt --all --check $(TESTS)
	$(CARGO) clippy --all-targets -- -D warnings
	$(CARGO) clippy --all-features --all-targets -- -D warnings
	for feature in $(ALL_FEATURES); do $(CARGO) clippy --quiet --lib --no-default-features \
	    --features "capi $$(echo $(ALL_FEATURES) | sed "s/$$feature//")" -- -D warnings || exit 1; done
	$(CARGO) clippy $(TESTS) --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --quiet --no-deps

check: deps
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory stage
	CTRS_STAGE=$(STAGE) CARGO="$(CARGO)" capi-tests/check.sh

check-user:
	@$(MAKE) --no-print-directory check CTRS_USER=1

# As root; needs debootstrap. The first run makes the Debian, 350 MB below the target folder.
check-bare:
	CARGO="$(CARGO)" capi-tests/bare.sh $(abspath $(TARGET))/bare make check

# Other processors: all compile, and tests run on five: under qemu what needs no kernel, on i686 with this one.
# Debian's packages of their originals come from its mirror. Not part of check.
# See capi-tests/targets/processors.tsv and not-run.tsv there.
check-targets:
	@CARGO="$(CARGO)" capi-tests/deps.sh cargo targets
	CARGO="$(CARGO)" capi-tests/targets/check.sh

# The originals of other processors side by side with ctrs: of i686, with this kernel, and of s390x. As root;
# Debian's packages of them come from its mirror. Not part of check.
check-reference:
	@CARGO="$(CARGO)" capi-tests/deps.sh cargo check targets
	CARGO="$(CARGO)" capi-tests/reference.sh

# Debian's packages, in a folder of their own; dpkg-buildpackage names what it needs.
deb:
	packaging/deb-source.sh $(TARGET)/deb
	cd $(TARGET)/deb/$(NAME) && dpkg-buildpackage -us -uc -b

# The packages of distributions, built and used in new systems. As root. The first run makes those, below
# the target folder. Not part of check.
check-packages:
	@CARGO="$(CARGO)" capi-tests/deps.sh cargo packages
	for run in capi-tests/packages/*/run.sh; do \
	    CARGO="$(CARGO)" CTRS_PACKAGES=$(abspath $(TARGET))/packages $$run || exit 1; done

# musl: the unit tests, the C tests and programs, shared and static. As root; the kernel has to be there.
check-musl: deps
	CARGO="$(CARGO)" capi-tests/musl.sh

# The least Rust that Cargo.toml names: the library is tested, and all tests compile. Needs rustup.
MSRV = $(shell sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)

check-msrv:
	@CARGO="$(CARGO)" capi-tests/deps.sh cargo msrv
	CARGO_TARGET_DIR=$(TARGET)/msrv $(CARGO) +$(MSRV) test --locked --features capi
	CARGO_TARGET_DIR=$(TARGET)/msrv $(CARGO) +$(MSRV) test --locked $(TESTS) --all-targets --no-run

# The library without each of its parts, and how large it is: six builds.
check-features: deps
	CARGO="$(CARGO)" capi-tests/features.sh

# What `cargo cinstall` installs beside what `make install` does. Needs cargo-c.
check-cargo-c:
	@CARGO="$(CARGO)" capi-tests/deps.sh cargo cargo-c demo
	CARGO="$(CARGO)" capi-tests/cargo-c.sh

# All drop-in scenarios, and the proof that each notices a faulty library. CHURN_SECONDS=600 makes
# the last one last ten minutes.
check-dropin: deps
	@$(MAKE) --no-print-directory stage
	CTRS_COMPAT_DIR=$(STAGE)/lib/ctrs/compat CHURN_SECONDS=$${CHURN_SECONDS:-60} \
	    capi-tests/dropin/run
	CTRS_COMPAT_DIR=$(STAGE)/lib/ctrs/compat capi-tests/dropin/selftest

# Lists while the hash table of the machine is resized. Needs root; nothing else that tracks
# connections should run.
check-resize:
	$(CARGO) run --quiet --release $(TESTS) --bin resize

# Mirrors while flows come and go, for long: RUNS=20 of RUN_SECONDS=60 while the hash table of the machine
# is resized, one of LONG_SECONDS=600, and three of a million flows for MILLION_SECONDS=60. Needs root;
# nothing else that lists flows should run.
check-mirror:
	$(CARGO) build --quiet --release $(TESTS) --bin mirror
	capi-tests/mirror.sh $(RELEASE)/mirror

# Measures against the system's library and writes docs/performance.md.
# About a quarter of an hour of two processors that have nothing else to do.
bench: deps
	@$(MAKE) --no-print-directory stage
	benches/run times $(STAGE)

bench-instructions: deps
	@$(MAKE) --no-print-directory stage
	benches/run instructions $(STAGE)

SECONDS ?= 60
FUZZ_TARGETS := message roundtrip api labels filter receive record json expression nflog timeout \
    helper mirror

# Fuzzes each target for so many seconds: make fuzz SECONDS=600. Needs the nightly toolchain and
# cargo-fuzz. New inputs go to fuzz/found, failures to fuzz/artifacts.
fuzz:
	@CARGO="$(CARGO)" capi-tests/deps.sh cargo fuzz
	@echo "$(words $(FUZZ_TARGETS)) targets, $(SECONDS) seconds each"
	@set -e; for target in $(FUZZ_TARGETS); do \
	    mkdir -p fuzz/found/$$target; \
	    $(CARGO) +nightly fuzz run -O --debug-assertions $$target fuzz/found/$$target \
	        fuzz/corpus/$$target -- -max_total_time=$(SECONDS) -timeout=10 -max_len=2048; \
	done

# Interprets the unit tests, and a tenth of the fuzz corpus through the C interface. Needs the
# nightly toolchain with the components miri and rust-src; half an hour.
miri:
	@CARGO="$(CARGO)" capi-tests/deps.sh cargo miri
	MIRIFLAGS=-Zmiri-disable-isolation $(CARGO) +nightly miri test --features capi --lib
	MIRIFLAGS=-Zmiri-disable-isolation $(CARGO) +nightly miri test $(TESTS) --test fuzz_corpus

# Licences, sources and known flaws of the dependencies. Needs cargo-deny, and the network for the
# list of flaws.
deny:
	@CARGO="$(CARGO)" capi-tests/deps.sh cargo deny
	$(CARGO) deny check

clean:
	$(CARGO) clean
