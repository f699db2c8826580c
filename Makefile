# ditscale: `make` lists what there is. Every target sets up what is missing first, and does nothing twice.
PRESET ?= release
CMAKE_ARGS ?=
JOBS ?= $(shell tools/jobs.sh)
BUILD := $(if $(filter release,$(PRESET)),build,build-$(PRESET))

.DEFAULT_GOAL := help
.PHONY: help setup configure programs build demo test peers format format-check clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "Variables: PRESET=release|debug|asan|no-cuda, CMAKE_ARGS=\"-D…\", JOBS=N."

setup: ## install what is missing: system packages, LibTorch in .venv
	@tools/setup.sh

configure: setup
	@if [ -n "$(CMAKE_ARGS)" ] || [ ! -f $(BUILD)/build.ninja ] || [ .venv/ditscale-torch -nt $(BUILD)/build.ninja ]; then \
	  cmake --preset $(PRESET) $(CMAKE_ARGS); \
	fi

programs: configure ## compile the three programs into build/bin
	@cmake --build $(BUILD) -j $(JOBS) --target orchestrator worker analysis

build: configure ## compile the three programs and the tests into build/
	@cmake --build $(BUILD) -j $(JOBS)

demo: programs ## run a small scaling study on Fashion-MNIST, and show its curves and fit
	@BIN=$(BUILD)/bin tools/demo.sh

test: build ## run all tests
	@ctest --preset $(PRESET)

peers: ## install PyTorch, scipy, diffusers … in .venv-peers, for the comparison scripts
	@tools/setup_peers.sh

format: ## format all source files
	@tools/format.sh

format-check: ## fail when a source file is not formatted
	@tools/format.sh --check

clean: ## remove the build folder (not .venv, not runs/)
	@cmake -E rm -rf $(BUILD)
