# Builds, runs, tests and installs the package.

PREFIX ?= /usr/local
DESTDIR ?=

# For distributions that use other directories.
UNITDIR ?= $(PREFIX)/lib/systemd/system
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions

bindir = $(DESTDIR)$(PREFIX)/bin
unitdir = $(DESTDIR)$(UNITDIR)
presetdir = $(DESTDIR)$(PREFIX)/lib/systemd/system-preset
sysusersdir = $(DESTDIR)$(PREFIX)/lib/sysusers.d
catalogdir = $(DESTDIR)$(PREFIX)/lib/systemd/catalog
docdir = $(DESTDIR)$(PREFIX)/share/doc/verypolld
datadir = $(DESTDIR)$(PREFIX)/share/verypolld
mandir = $(DESTDIR)$(PREFIX)/share/man
bashdir = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
fishdir = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
zshdir = $(DESTDIR)$(ZSHDIR)
# Created empty: without a configuration file, the daemon uses its built-in default.
confdir = $(DESTDIR)/etc/verypolld

COMMANDS = verypolld verypollctl
UNITS = verypolld.service verypolld.socket verypolld-varlink.socket \
    verypolld-metrics.socket

# Links the Swift runtime statically, so that the programs run on a machine without Swift.
STATIC = -c release --static-swift-stdlib -Xlinker -z -Xlinker now
# The directory of existing builds of verypolld and verypollctl, to install them without building.
BINARIES ?=
# The maintainer of the package, as "Name <mail>"; Scripts/deb has a default.
MAINTAINER ?=
export MAINTAINER

.DEFAULT_GOAL := help
.PHONY: help run static deb test test-page test-discovery test-fleet test-vm bench bench-proxy bench-latency fuzz soak soak-discovery docs install uninstall
.PHONY: check format clean

help: ## Shows this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Builds and runs the daemon; stop it with Ctrl-C.
	@Scripts/install-dependencies run
	@swift build -c release --product verypolld
	@swift build -c release --product verypollctl
	@echo "verypollctl: $$(swift build -c release --show-bin-path)/verypollctl"
	@exec "$$(swift build -c release --show-bin-path)/verypolld"

# Builds the programs as they are installed.
static:
	swift build $(STATIC) --product verypolld
	swift build $(STATIC) --product verypollctl

deb: ## Makes a Debian package in .build-deb; REVISION=n (1), MAINTAINER="Name <mail>".
ifeq ($(BINARIES),)
	@Scripts/install-dependencies deb
	@$(MAKE) --no-print-directory static
	@$(MAKE) --no-print-directory deb BINARIES="$$(swift build $(STATIC) --show-bin-path)"
else
	@Scripts/deb $(BINARIES) $(REVISION)
endif

# The async tests run in a process of their own: the other tests block the threads of the global
# executor, of which there is one for each processor.
test: ## Builds and runs all tests.
	@Scripts/install-dependencies test
	swift build --build-tests --disable-xctest
	@$(MAKE) --no-print-directory deb REVISION="1 2"
	swift test --skip-build --disable-xctest --parallel --skip VerypollAsyncTests
	swift test --skip-build --disable-xctest --parallel --filter VerypollAsyncTests

test-page: ## Tests the daemon's status page in headless Chromium.
	@Scripts/install-dependencies page
	swift build --product verypolld
	swift build --product verypollctl
	python3 Tests/Programs/page_checks.py "$$(swift build --show-bin-path)"

test-discovery: ## Tests services of dnsmasq, knot and BIND, as root, and prints what happened.
	@Scripts/install-dependencies test
	swift build -c release --product verypolld
	swift build -c release --product verypollctl
	@Tests/Programs/service_checks.py .build/release/verypolld .build/release/verypollctl

# Like `make install`, it builds the programs unless BINARIES is set.
test-fleet: ## Runs docs/fleet.md in containers, as root, and prints what clients see.
	@Scripts/install-dependencies fleet
ifeq ($(BINARIES),)
	@$(MAKE) --no-print-directory static
	Scripts/fleet-lab "$$(swift build $(STATIC) --show-bin-path)"
else
	Scripts/fleet-lab $(BINARIES)
endif

# VM_OPTIONS are those of Scripts/test-vm, such as "--tests power,vsock --losses 20", or after
# swift build --build-tests --disable-xctest, "--swift-tests .build/debug".
VM_OPTIONS ?=

test-vm: ## Tests in virtual machines: 300,000 sessions, vsock, loss of power; takes long.
ifeq ($(BINARIES),)
	@Scripts/install-dependencies run
	@$(MAKE) --no-print-directory static
	@$(MAKE) --no-print-directory test-vm BINARIES="$$(swift build $(STATIC) --show-bin-path)"
else
	@Scripts/install-dependencies vm
	@Scripts/test-vm $(VM_OPTIONS) $(BINARIES)
endif

bench: ## Compares the libraries with C, mio, libuv, libev and SwiftNIO, as root; ROUNDS=n.
	@Scripts/install-dependencies bench
	@Benchmarks/build library
	@Benchmarks/run $(if $(ROUNDS),--rounds $(ROUNDS))

# BEFORE=PATH adds another build of the daemon; SAVE=FILE saves the results as JSON.
PROXY_OPTIONS = $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(BEFORE),--before $(BEFORE)) \
    $(if $(SAVE),--save $(SAVE))

bench-proxy: ## Compares the daemon with other proxies, as root; ROUNDS=n, BEFORE=verypolld.
	@Scripts/install-dependencies bench
	@Benchmarks/build proxy
	@Benchmarks/run proxy $(PROXY_OPTIONS)

bench-latency: ## Compares their latencies at fixed rates, as root; ROUNDS=n, BEFORE=verypolld.
	@Scripts/install-dependencies bench
	@Benchmarks/build proxy
	@Benchmarks/run latency $(PROXY_OPTIONS)

fuzz: ## Tests random inputs, and registration against a model; SECONDS=n (30) each.
	@Scripts/install-dependencies run
	@Scripts/fuzz $(SECONDS)

soak: ## Fails if memory, descriptors or latency grow under long load; SECONDS=n (3600).
	@Scripts/install-dependencies run
	swift build -c release --product verypolld
	@Benchmarks/soak $(if $(SECONDS),--seconds $(SECONDS))

soak-discovery: ## Changes SRV records each second under load; SECONDS=n (1200). Needs root.
	@Scripts/install-dependencies test
	swift build -c release --product verypolld
	@Tests/Programs/zone_churn.py .build/release/verypolld $(or $(SECONDS),1200)

docs: ## Builds the library's documentation as a web site.
	@Scripts/docs

install: ## Installs the programs, units, manual pages and completions; PREFIX=path, DESTDIR=path.
ifeq ($(BINARIES),)
	@Scripts/install-dependencies run
	@$(MAKE) --no-print-directory static
	@$(MAKE) --no-print-directory install BINARIES="$$(swift build $(STATIC) --show-bin-path)"
else
	install -d $(bindir) $(unitdir) $(presetdir) $(sysusersdir) $(docdir) $(datadir) $(confdir) \
	    $(catalogdir) $(mandir)/man1 $(mandir)/man5 $(mandir)/man8 $(bashdir) $(fishdir) $(zshdir) \
	    $(datadir)/monitoring $(docdir)/monitoring
	install -m 0755 $(addprefix $(BINARIES)/,$(COMMANDS)) $(bindir)
	for unit in $(UNITS); do \
	    sed 's,@PREFIX@,$(PREFIX),g' systemd/$$unit >$(unitdir)/$$unit && \
	    chmod 0644 $(unitdir)/$$unit || exit; \
	done
	install -m 0644 systemd/90-verypolld.preset $(presetdir)
	install -m 0644 systemd/verypolld.sysusers $(sysusersdir)/verypolld.conf
	install -m 0644 systemd/verypolld.catalog $(catalogdir)
	Scripts/man-pages $(BINARIES) $(mandir)
	for command in $(COMMANDS); do \
	    script="$(BINARIES)/$$command --generate-completion-script"; \
	    $$script bash >$(bashdir)/$$command && \
	    $$script fish >$(fishdir)/$$command.fish && \
	    $$script zsh >$(zshdir)/_$$command || exit; \
	done
	install -m 0644 $(wildcard README.md CHANGELOG.md LICENSE) $(docdir)
	cp -R config/default.json config/examples docs $(docdir)
	install -m 0644 config/verypolld.schema.json $(datadir)
	install -m 0644 monitoring/alerts.yml monitoring/grafana-dashboard.json $(datadir)/monitoring
	install -m 0644 monitoring/README.md monitoring/metrics.md $(docdir)/monitoring
	sed 's,@PREFIX@,$(PREFIX),g' systemd/unix-only.conf >$(datadir)/unix-only.conf
	chmod 0644 $(datadir)/unix-only.conf
	sed 's,@PREFIX@,$(PREFIX),g' systemd/vsock.conf >$(datadir)/vsock.conf
	chmod 0644 $(datadir)/vsock.conf
	chmod -R u=rwX,go=rX $(docdir)
	@echo "Then, as root: systemd-sysusers && journalctl --update-catalog &&" \
	    "systemctl daemon-reload && systemctl enable --now verypolld"
endif

uninstall: ## Removes the installed files, except for /etc/verypolld; keeps the user.
	rm -f $(addprefix $(bindir)/,$(COMMANDS)) $(addprefix $(unitdir)/,$(UNITS))
	rm -f $(presetdir)/90-verypolld.preset $(sysusersdir)/verypolld.conf
	rm -f $(catalogdir)/verypolld.catalog
	rm -f $(mandir)/man1/verypollctl.1 $(mandir)/man8/verypolld.8 $(mandir)/man5/verypolld.json.5
	rm -f $(addprefix $(bashdir)/,$(COMMANDS)) $(addprefix $(zshdir)/_,$(COMMANDS))
	rm -f $(addsuffix .fish,$(addprefix $(fishdir)/,$(COMMANDS)))
	rm -rf $(docdir) $(datadir)

check: ## Runs every check that must pass before a release; takes long.
	@Scripts/install-dependencies test
	Scripts/check

format: ## Formats all sources.
	swift format -i -r Package.swift Sources Tests Examples Benchmarks Fuzz

clean: ## Removes all build products.
	rm -rf .build .build-* Fuzz/.build Benchmarks/.build Benchmarks/peers/nio/.build
