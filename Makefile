# SPDX-License-Identifier: GPL-2.0-or-later
#
# Interpose is built from the modules below. The list is bottom-up: a module
# includes only headers of modules above it in this list (`make lint` checks),
# so it is also the order in which to read the sources.

# --- modules ---------------------------------------------------------------

# lib/: no policy, no kernel objects
LIB = \
	lib/arena \
	lib/str \
	lib/hash \
	lib/siphash \
	lib/clock \
	lib/inet \
	lib/names \
	lib/diag \
	lib/log \
	lib/json

# policy/: text -> tokens -> tree -> model; policy.h is all that others see
POLICY = \
	policy/policy \
	policy/keywords_tbl \
	policy/source \
	policy/lex \
	policy/ast \
	policy/parse \
	policy/reading \
	policy/scalar \
	policy/network \
	policy/value \
	policy/form \
	policy/model \
	policy/limits \
	policy/fit \
	policy/check \
	policy/match \
	policy/equal \
	policy/print \
	policy/load

# netsetup: model -> desired state -> plan -> kernel
NETSETUP = \
	netsetup/state/kstate \
	netsetup/state/hop \
	netsetup/state/expr \
	netsetup/state/rule \
	netsetup/state/statement \
	netsetup/state/draft \
	netsetup/state/bypass \
	netsetup/state/span \
	netsetup/state/dispatch \
	netsetup/state/filter \
	netsetup/state/settle \
	netsetup/state/capture \
	netsetup/state/guard \
	netsetup/state/existing \
	netsetup/state/return_path \
	netsetup/state/heartbeat \
	netsetup/state/desired \
	netsetup/state/meet \
	netsetup/state/cuts \
	netsetup/state/kindex \
	netsetup/state/diff \
	netsetup/state/drain \
	netsetup/state/plan \
	netsetup/state/export \
	netsetup/explain/packet \
	netsetup/explain/walk \
	netsetup/explain/inforce \
	netsetup/explain/reason \
	netsetup/explain/way \
	netsetup/explain/finder \
	netsetup/explain/upleg \
	netsetup/explain/legs \
	netsetup/explain/tuple \
	netsetup/doctor/foreign \
	netsetup/doctor/box \
	netsetup/doctor/doctor_tbl \
	netsetup/doctor/doctor_check \
	netsetup/doctor/doctor_ours \
	netsetup/doctor/doctor_net \
	netsetup/doctor/doctor_kernel \
	netsetup/doctor/doctor_chains \
	netsetup/doctor/doctor_rules \
	netsetup/doctor/doctor_files \
	netsetup/doctor/doctor \
	netsetup/kernel/nl \
	netsetup/kernel/nft_news \
	netsetup/kernel/nft_expr \
	netsetup/kernel/nft_set \
	netsetup/kernel/nft_timeout \
	netsetup/kernel/nft_write \
	netsetup/kernel/nft_raw \
	netsetup/kernel/nft_read \
	netsetup/kernel/nft_pair \
	netsetup/kernel/foreign_read \
	netsetup/kernel/alarm \
	netsetup/kernel/rt_attr \
	netsetup/kernel/rt_write \
	netsetup/kernel/rt_read \
	netsetup/kernel/rt_route \
	netsetup/kernel/box_read \
	netsetup/kernel/sysctl \
	netsetup/kernel/textfile \
	netsetup/kernel/sock \
	netsetup/kernel/ct \
	netsetup/kernel/environ \
	netsetup/kernel/daemon \
	netsetup/change/journal \
	netsetup/change/observe \
	netsetup/change/flows \
	netsetup/change/survey \
	netsetup/change/existing \
	netsetup/change/readback \
	netsetup/change/ask \
	netsetup/change/apply \
	netsetup/change/intent \
	netsetup/change/wanted \
	netsetup/change/enact \
	netsetup/change/drift \
	netsetup/change/pending \
	netsetup/change/timer \
	netsetup/cmd/common \
	netsetup/cmd/session \
	netsetup/cmd/serving \
	netsetup/cmd/leftover \
	netsetup/cmd/guard \
	netsetup/cmd/drain \
	netsetup/cmd/check \
	netsetup/cmd/plan \
	netsetup/cmd/explain \
	netsetup/cmd/export \
	netsetup/cmd/apply \
	netsetup/cmd/confirm \
	netsetup/cmd/watch \
	netsetup/cmd/status \
	netsetup/cmd/doctor \
	netsetup/cmd/remove \
	netsetup/cmd/bypass

# proxyd: accept -> origin -> decide -> connect -> relay -> record
PROXYD = \
	proxyd/base/reason_tbl \
	proxyd/base/reason \
	proxyd/http/bad_tbl \
	proxyd/http/bad \
	proxyd/base/pages \
	proxyd/base/shm \
	proxyd/base/tally \
	proxyd/base/timer \
	proxyd/base/loop \
	proxyd/base/limiter \
	proxyd/base/fds \
	proxyd/base/sock \
	proxyd/base/talk \
	proxyd/base/notify \
	proxyd/base/priv \
	proxyd/base/sandbox \
	proxyd/base/fdcheck \
	proxyd/net/route \
	proxyd/net/elements \
	proxyd/net/tracker \
	proxyd/net/asker \
	proxyd/net/origdst \
	proxyd/net/upstream \
	proxyd/net/datagram \
	proxyd/net/sockets \
	proxyd/net/listener \
	proxyd/net/inherited \
	proxyd/net/alive \
	proxyd/pool/places \
	proxyd/pool/limit \
	proxyd/pool/balance \
	proxyd/stream/pipes \
	proxyd/stream/side \
	proxyd/stream/relay \
	proxyd/stream/inbox \
	proxyd/stream/proxyproto \
	proxyd/http/fields_tbl \
	proxyd/http/head \
	proxyd/http/known \
	proxyd/http/scan \
	proxyd/http/wide \
	proxyd/http/stray \
	proxyd/http/authority \
	proxyd/http/startline \
	proxyd/http/framing \
	proxyd/http/fields \
	proxyd/http/parse \
	proxyd/http/chunks \
	proxyd/http/body \
	proxyd/http/forward \
	proxyd/http/answer \
	proxyd/http/error_page \
	proxyd/http/reuse \
	proxyd/ctl/record \
	proxyd/ctl/access \
	proxyd/ctl/wire \
	proxyd/ctl/local \
	proxyd/ctl/control \
	proxyd/ctl/report \
	proxyd/ctl/table \
	proxyd/ctl/show \
	proxyd/flow/steps_tbl \
	proxyd/flow/why \
	proxyd/flow/decide \
	proxyd/flow/flows \
	proxyd/flow/pairs \
	proxyd/flow/tell \
	proxyd/flow/http_state \
	proxyd/flow/life \
	proxyd/flow/pass \
	proxyd/flow/announce \
	proxyd/flow/onward \
	proxyd/flow/http_refuse \
	proxyd/flow/http_onward \
	proxyd/flow/http_request \
	proxyd/flow/http_response \
	proxyd/flow/http \
	proxyd/flow/flow \
	proxyd/flow/udp_life \
	proxyd/flow/listing \
	proxyd/flow/udp_legs \
	proxyd/flow/udp_parcel \
	proxyd/flow/udp \
	proxyd/flow/udp_move \
	proxyd/tryout \
	proxyd/handover \
	proxyd/baton \
	proxyd/child \
	proxyd/doors \
	proxyd/worker \
	proxyd/pulse \
	proxyd/rota \
	proxyd/crew \
	proxyd/legacy \
	proxyd/duty \
	proxyd/crews \
	proxyd/reload \
	proxyd/replace \
	proxyd/store \
	proxyd/gather \
	proxyd/desk \
	proxyd/master

# the programs: each has one more file, with main()
PROGRAMS = netsetup/main proxyd/main proxyd/proxyctl

# those of the modules above that are a header only and have no .c file
HEADERS = policy/policy netsetup/doctor/doctor_tbl \
	proxyd/base/reason_tbl proxyd/http/bad_tbl proxyd/http/fields_tbl \
	proxyd/http/head proxyd/flow/steps_tbl

# --- tools and flags -------------------------------------------------------

PREFIX ?= /usr
DESTDIR ?=
VERSION := $(shell sed -n '1s/.*[(]\(.*\)[)].*/\1/p' debian/changelog)

# O= is where everything that is built goes; SAN=1 builds with ASan and UBSan
SAN ?= 0
ifeq ($(SAN),1)
O ?= build/san
SANFLAGS = -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
# gcc 12 sees null formats where UBSan added checks for them
HARDEN = -O1 -g -Wno-format-truncation
else
O ?= build
SANFLAGS =
HARDEN := $(or $(shell dpkg-buildflags --get CFLAGS 2>/dev/null),-O2 -g) \
	$(shell dpkg-buildflags --get CPPFLAGS 2>/dev/null)
LDHARDEN := $(shell dpkg-buildflags --get LDFLAGS 2>/dev/null) \
	-Wl,-z,now -pie
PIE = -fPIE
endif

CC ?= cc
PKGS = libmnl libnftnl libnetfilter_conntrack libcap libseccomp libxxhash \
	jansson
CPPFLAGS += -D_GNU_SOURCE -I. -DINTERPOSE_VERSION='"$(VERSION)"' \
	$(shell pkg-config --cflags $(PKGS))
CFLAGS += -std=gnu11 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wvla $(HARDEN) $(PIE) $(SANFLAGS)
LDFLAGS += $(LDHARDEN) $(SANFLAGS)

LIBS_lib = -lxxhash
LIBS_kernel = $(LIBS_lib) -lnftnl -lmnl -lnetfilter_conntrack
LIBS_netsetup = $(LIBS_kernel) -ljansson
LIBS_proxyd = $(LIBS_kernel) -lcap -lseccomp
LIBS_proxyctl = $(LIBS_lib) -ljansson
LIBS_tests = $(LIBS_proxyd) -ljansson -lcunit

V ?= 0
ifeq ($(V),1)
Q =
say = @:
else
Q = @
say = @printf '  %-5s %s\n'
endif

# --- what is built ---------------------------------------------------------

MODULES = $(filter-out $(HEADERS),$(LIB) $(POLICY) $(NETSETUP) $(PROXYD))
ARCHIVE = $(O)/interpose.a
BINARIES = $(O)/bin/netsetup $(O)/bin/proxyd $(O)/bin/proxyctl

# a unit test tests/x/test_y.c is a program; so is a lab test
UNIT_SOURCES = $(sort $(wildcard tests/lib/test_*.c tests/policy/test_*.c \
	tests/netsetup/test_*.c tests/proxyd/test_*.c))
LAB_SOURCES = $(sort $(wildcard tests/lab/test_*.c))
UNIT_TESTS = $(UNIT_SOURCES:%.c=$(O)/%)
LAB_TESTS = $(LAB_SOURCES:%.c=$(O)/%)
# what the lab's programs share, and its helpers that are programs
LAB_SHARED = $(patsubst %.c,$(O)/%.o,$(filter-out tests/lab/test_% \
	tests/lab/tool_%,$(sort $(wildcard tests/lab/*.c))))
LAB_TOOLS = $(patsubst %.c,$(O)/%,$(sort $(wildcard tests/lab/tool_*.c \
	tests/bench/tool_*.c)))

# beside other parsers of HTTP: what these programs share
HTTP_TOOLS = $(patsubst %.c,$(O)/%,$(sort $(wildcard tests/http/tool_*.c)))
HTTP_SHARED = $(O)/tests/http/peers.o

# fuzzers: plain functions for clang's libFuzzer, see the head of each
FUZZ_SOURCES = $(sort $(wildcard tests/fuzz/fuzz_*.c))

all: $(BINARIES)

$(ARCHIVE): $(MODULES:%=$(O)/%.o)
	$(say) AR $@
	$(Q)rm -f $@ && ar rcs $@ $^

$(O)/bin/netsetup: $(O)/netsetup/main.o $(ARCHIVE)
	$(say) LD $@
	$(Q)mkdir -p $(@D) && $(CC) $(LDFLAGS) -o $@ $^ $(LIBS_netsetup)

$(O)/bin/proxyd: $(O)/proxyd/main.o $(ARCHIVE)
	$(say) LD $@
	$(Q)mkdir -p $(@D) && $(CC) $(LDFLAGS) -o $@ $^ $(LIBS_proxyd)

$(O)/bin/proxyctl: $(O)/proxyd/proxyctl.o $(ARCHIVE)
	$(say) LD $@
	$(Q)mkdir -p $(@D) && $(CC) $(LDFLAGS) -o $@ $^ $(LIBS_proxyctl)

$(O)/%.o: %.c Makefile
	$(say) CC $<
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(UNIT_TESTS): $(O)/%: $(O)/%.o $(O)/tests/unit.o $(ARCHIVE)
	$(say) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_tests)

$(LAB_TESTS): $(O)/%: $(O)/%.o $(LAB_SHARED) $(O)/tests/unit.o $(ARCHIVE)
	$(say) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_tests)

$(LAB_TOOLS): $(O)/%: $(O)/%.o $(ARCHIVE)
	$(say) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_lib)

# where the package node-llhttp has its header
$(HTTP_SHARED) $(HTTP_TOOLS:%=%.o): CPPFLAGS += -I/usr/share/include
$(HTTP_TOOLS): $(O)/%: $(O)/%.o $(HTTP_SHARED) $(ARCHIVE)
	$(say) LD $@
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_lib)

-include $(shell find $(O) -name '*.d' -type f 2>/dev/null)

clean:
	$(Q)rm -rf build

help:
	@sed -n 's/^#: //p' Makefile

#: make              builds build/bin/netsetup, proxyd and proxyctl
#: make check        runs all tests; ./check installs first what they need
#: make mutants      breaks each promise and sees its test fail
#: make fuzz         feeds parsers with any bytes, FUZZ_SECONDS=60 each
#: make bench        how fast it is, beside HAProxy, nginx and plain routing
#: make soak         random bytes both ways, 10 GB or SOAK_BYTES=, compared
#: make demo         shows it at work, in namespaces; the same as ./demo
#: make lint         checks the style and the manual pages
#: make install      installs below DESTDIR=, PREFIX=/usr; starts nothing
#: make deb          builds build/interpose_*.deb
#: make clean        removes build/
#: V=1 shows the commands, SAN=1 builds with sanitizers, O=DIR elsewhere

# --- the demo ----------------------------------------------------------------

demo:
	$(Q)./demo

# what ./demo runs when all is installed
demo-here: $(BINARIES) $(O)/tests/lab/tool_server
	$(Q)tests/demo/run $(O)

# --- how fast it is ----------------------------------------------------------

# tables are printed, the figures in build/bench.json; BENCH_ROUNDS=5 of each
bench: $(BINARIES) $(LAB_TOOLS) $(HTTP_TOOLS)
	$(Q)tests/bench/run $(O)

# Is every byte the same, and in its place? A tenth of it with lost packets.
SOAK_BYTES = 10000000000
soak: $(BINARIES) $(O)/tests/lab/test_soak
	$(Q)SOAK_BYTES=$(SOAK_BYTES) $(O)/tests/lab/test_soak

# --- install and package ---------------------------------------------------

SBINDIR = $(DESTDIR)$(PREFIX)/sbin
DATADIR = $(DESTDIR)$(PREFIX)/share
UNITDIR ?= $(PREFIX)/lib/systemd/system
NETWORKDDIR = $(PREFIX)/lib/systemd/networkd.conf.d
MANUALS = $(wildcard man/*.[1-8])

# put FILE TO: a file whose programs are named by where they will be
put = sed 's,/usr/sbin/,$(PREFIX)/sbin/,' $(1) >$(2) && chmod 644 $(2)

# never overwrites a policy; starts and changes nothing
install: $(BINARIES)
	$(say) INST $(or $(DESTDIR),/)
	$(Q)install -d $(SBINDIR) $(DESTDIR)$(UNITDIR) \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)/etc/interpose \
		$(DATADIR)/bash-completion/completions \
		$(DATADIR)/doc/interpose/examples
	$(Q)install -m 755 $(BINARIES) $(SBINDIR)
	$(Q)for page in $(MANUALS); do \
		install -D -m 644 -t $(DATADIR)/man/man$${page##*.} $$page || \
		exit; \
	done
	$(Q)$(call put,share/interpose.service,\
		$(DESTDIR)$(UNITDIR)/interpose.service)
	$(Q)$(call put,share/interpose-rules.service,\
		$(DESTDIR)$(UNITDIR)/interpose-rules.service)
	$(Q)$(call put,share/interpose-watch.service,\
		$(DESTDIR)$(UNITDIR)/interpose-watch.service)
	$(Q)install -m 644 share/interpose.sysusers \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d/interpose.conf
	$(Q)install -D -m 644 share/interpose.networkd \
		$(DESTDIR)$(NETWORKDDIR)/50-interpose.conf
	$(Q)install -D -m 644 share/interpose.logrotate \
		$(DESTDIR)/etc/logrotate.d/interpose
	$(Q)for program in netsetup proxyd proxyctl; do \
		install -m 644 share/$$program.bash \
		$(DATADIR)/bash-completion/completions/$$program || exit; \
	done
	$(Q)install -m 644 examples/policy.conf \
		$(DATADIR)/doc/interpose/examples
	$(Q)[ -e $(DESTDIR)/etc/interpose/policy.conf ] || install -m 644 \
		share/policy.conf $(DESTDIR)/etc/interpose

# build/interpose_VERSION_ARCH.deb, looked at by lintian, and installed and
# purged in a copy of this machine's root that is thrown away
deb:
	$(Q)tests/package/build build
	$(Q)tests/package/run build

# --- what is checked by running it -----------------------------------------

# Unit tests run plain and with sanitizers, lab tests with sanitizers; where
# speed or memory is the test, or something runs hundreds of times, plain.
# `make check` builds both in parallel.
LAB_PLAIN = $(filter %/test_churn %/test_http_few %/test_killed \
	%/test_reloads %/test_sandbox,$(LAB_TESTS))
LAB_SAN = $(patsubst $(O)/%,$(O)/san/%,$(filter-out $(LAB_PLAIN),$(LAB_TESTS)))
CHECKED = $(UNIT_TESTS) $(UNIT_TESTS:$(O)/%=$(O)/san/%) $(LAB_PLAIN) $(LAB_SAN)
# programs of the shell: examples of the manual, what is installed beside
SCRIPTS = tests/man/run tests/share/run tests/complaints/run tests/bench/quick \
	tests/http/differential tests/vtc/run
NPROC := $(shell nproc)
in_parallel = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(NPROC))

tests: $(BINARIES) $(UNIT_TESTS) $(LAB_TESTS) $(LAB_TOOLS) $(HTTP_TOOLS)

check:
	$(Q)+$(MAKE) $(in_parallel) O=$(O) SAN=0 tests
	$(Q)+$(MAKE) $(in_parallel) O=$(O)/san SAN=1 tests
	$(Q)BUILD=$(O) tests/run $(CHECKED) $(SCRIPTS)

# what needs no kernel of its own: for the package's build
check-unit: $(UNIT_TESTS)
	$(Q)tests/run $(UNIT_TESTS)

# every promise has a patch that breaks it: does its test go red?
mutants:
	$(Q)tests/mutants/run $(MUTANTS)

# any bytes at all, for a while: clang's libFuzzer
FUZZ_SECONDS = 60
FUZZ_MODULES = $(filter-out $(HEADERS),$(LIB) $(POLICY) proxyd/ctl/wire \
	proxyd/stream/proxyproto $(addprefix proxyd/http/,bad known scan wide \
	stray authority startline framing fields parse chunks))
FUZZ_FLAGS = -std=gnu11 -g -O1 -D_GNU_SOURCE -I. \
	-fsanitize=address,undefined -fno-sanitize-recover=all
$(O)/fuzz/modules/%.o: %.c Makefile
	$(say) CC $<
	$(Q)mkdir -p $(@D) && clang $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link \
		-MMD -MP -c -o $@ $<

$(O)/fuzz/fuzz_%: $(O)/fuzz/modules/tests/fuzz/fuzz_%.o \
		$(FUZZ_MODULES:%=$(O)/fuzz/modules/%.o)
	$(say) LD $@
	$(Q)clang $(FUZZ_FLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS_lib)

fuzz: $(FUZZ_SOURCES:tests/fuzz/%.c=$(O)/fuzz/%)
	$(Q)tests/fuzz/run $(O) $(FUZZ_SECONDS)

# --- what is checked without running it ------------------------------------

# STYLE.md's half for machines; `make lint CHECKS="includes sizes"` for some
CHECKS =
lint:
	$(Q)LINT_OBJECTS=$(O) tests/lint/run $(CHECKS)
check-globals:
	$(Q)LINT_OBJECTS=$(O) tests/lint/run globals

# for scripts: the modules in their order; an object of every source file
print-modules:
	@printf '%s\n' $(LIB) $(POLICY) $(NETSETUP) $(PROXYD) $(PROGRAMS)

objects: $(patsubst %.c,$(O)/%.o,$(MODULES:%=%.c) $(PROGRAMS:%=%.c) \
	$(UNIT_SOURCES) $(LAB_SOURCES) $(FUZZ_SOURCES)) $(LAB_SHARED) \
	$(LAB_TOOLS:%=%.o) $(HTTP_TOOLS:%=%.o) $(HTTP_SHARED) \
	$(O)/tests/unit.o

.PHONY: all clean help bench soak demo demo-here install deb tests check \
	check-unit mutants fuzz lint check-globals print-modules objects
.SECONDARY:
.DELETE_ON_ERROR:
