# SPDX-License-Identifier: BSD-2-Clause
# What can be done here; each target first installs and builds what it needs. See README.md.

BUILD ?= build
# For each fuzz target.
FUZZ_SECONDS ?= 10

# Of make check-moves.
SEEDS ?= 200
CRASHES ?= 20
# Of make check-faults: moments of each call.
FAULTS ?= 20
SOAK_SECONDS ?= 3600
# Of check-boots, under each manager.
BOOTS ?= 20
# Of each scenario in bench-vm.
RUNS ?= 5

AS_ROOT := tools/as-root
CHECK := /usr/bin/python3 tools/check --build $(BUILD) --sanitize $(BUILD)-clang

.PHONY: all deps build sanitize demo check check-kernels check-managers check-boots check-moves \
	check-faults agents bench bench-vm soak lint fuzz install deb clean

all: build

deps:
	@tools/deps

build: deps $(BUILD)/build.ninja
	@ninja -C $(BUILD) --quiet

# The second build: clang, AddressSanitizer, UndefinedBehaviorSanitizer, and the fuzz targets.
sanitize: deps $(BUILD)-clang/build.ninja
	@ninja -C $(BUILD)-clang --quiet

$(BUILD)/build.ninja: | deps
	meson setup $(BUILD)

$(BUILD)-clang/build.ninja: | deps
	CC=clang meson setup $(BUILD)-clang -Dfuzz=true -Dbuildtype=debugoptimized \
		-Db_sanitize=address,undefined -Db_lundef=false

demo: build
	@mkdir -p $(BUILD)/demo
	@$(AS_ROOT) $(BUILD)/lab/netvf-lab migrate --cycles 5 --pps 5000 \
		--rules etc/devd/hyperv.conf \
		--json $(BUILD)/demo/report.json --svg $(BUILD)/demo/timeline.svg

check: build sanitize
	@$(CHECK) --fuzz-seconds $(FUZZ_SECONDS)

# What make check tries of a few configurations: of hundreds, and a crash at every step of some.
check-moves: build
	@$(AS_ROOT) unshare --pid --fork --kill-child --mount-proc env NETVF_BUILD=$(CURDIR)/$(BUILD) \
		NETVF_PLAN_SEEDS=$(SEEDS) NETVF_CRASH_SEEDS=$(CRASHES) PYTHONDONTWRITEBYTECODE=1 \
		/usr/bin/python3 -m pytest -v --tb=short -p no:cacheprovider --numprocesses=2 \
		tests/netns/test_move_random.py

# One call that fails, at many moments of a migration (FAULTS=all: at every one), and what came of it.
check-faults: build
	@$(AS_ROOT) unshare --pid --fork --kill-child --mount-proc env NETVF_BUILD=$(CURDIR)/$(BUILD) \
		NETVF_FAULTS=$(FAULTS) PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -q -s \
		--tb=short -p no:cacheprovider tests/netns/test_faults.py

# What the host's agents in the guest tell of a pair: the tables of doc/hosts.md.
agents: build
	@$(AS_ROOT) unshare --pid --fork --kill-child --mount-proc env NETVF_BUILD=$(CURDIR)/$(BUILD) \
		NETVF_LONG=1 PYTHONDONTWRITEBYTECODE=1 sh -c 'for tests in netns vm; do \
		/usr/bin/python3 -m pytest -q -s -p no:cacheprovider tests/$$tests/test_agents.py; done' | \
		awk '/^agent|passed|failed|skipped/; / failed/ { bad = 1 } END { exit bad }'

# Debian's root file system in QEMU, under each network manager, with netvf's own package; and under
# each with cloud-init and a VF at power-on. SUITE: which Debian; the machine's own if it is not said.
check-managers: build deb
	@tools/deps mmdebstrap e2fsprogs
	@NETVF_SUITE=$(SUITE) $(CHECK) --only managers

# BOOTS boots under each manager, with cloud-init and a VF at power-on, of one Debian after another;
# doc/boot.md is made of them. 20 boots take three quarters of an hour for each Debian.
check-boots: build deb
	@tools/deps mmdebstrap e2fsprogs
	@$(AS_ROOT) tools/check-boots --build $(BUILD) --boots $(BOOTS)

# The VM suite, and each peer once, on one Linux after another; doc/kernels.md is made of it. Ten
# minutes for each; half an hour with NETVF_LONG=1.
check-kernels: build
	@$(AS_ROOT) tools/check-kernels --build $(BUILD)

fuzz: sanitize
	@$(CHECK) --only fuzz --fuzz-seconds $(FUZZ_SECONDS)

# AGAINST=REVISION: the figures that have a bound beside those of that revision, as ratios.
bench: build
	@mkdir -p $(BUILD)/bench
	@$(if $(AGAINST),tools/deps valgrind)
	@$(AS_ROOT) bench/run $(BUILD) $(if $(AGAINST),--against $(AGAINST))

# How many instructions each form takes; what is lost when a VF comes (AGAINST=REVISION: also by that
# revision); then, who loses what when a real card goes: each peer and way several times.
bench-vm: build
	@mkdir -p $(BUILD)/bench
	@$(AS_ROOT) bench/vm_datapath.py $(BUILD)
	@$(AS_ROOT) bench/vm_arrival.py $(BUILD) $(AGAINST)
	@$(AS_ROOT) $(BUILD)/lab/netvf-lab vm --runs $(RUNS) --dwell 500 \
		--peer none,bond,hyperv-scripts,net_failover,netvf,netvf-bond \
		--gone acpi,pcie,linkdown,live --rules etc/devd/hyperv.conf --json $(BUILD)/bench/vm.json \
		--table $(BUILD)/bench/vm.txt --svg $(BUILD)/bench/vm.svg

# Migrations with clients of all kinds for an hour: none lost, no memory and no descriptors gone.
soak: build
	@$(AS_ROOT) bench/soak $(BUILD) $(SOAK_SECONDS)

lint: build sanitize
	@tools/lint

install: build
	@$(AS_ROOT) meson install -C $(BUILD)

# A package for dpkg, with debhelper and the like installed for it.
deb: deps
	@tools/deps build-essential debhelper dh-apparmor "systemd-dev|systemd"
	@tools/deb $(BUILD)/deb

clean:
	rm -rf $(BUILD) $(BUILD)-clang
