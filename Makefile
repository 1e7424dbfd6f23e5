# make deps    installs the Debian packages that are missing
# make demo    two hosts, a queue, thousands of requests, a killed Redis: and what became of them
# make demo-up the same hosts, left running; says their addresses
# make test    everything: house rules, unit, live, chaos, C API, ABI, Python, install, lessons
# make sanitize the same under AddressSanitizer, UBSan and ThreadSanitizer; takes long
# make bench   Corbel beside its peers; BENCH=redis picks one subject
# make format  clang-format over the tree          make tidy   clang-tidy over the tree
# make clean   removes build/
PYTHON ?= /usr/bin/python3
SOURCES = $(shell git ls-files --cached --others --exclude-standard '*.c' '*.cpp' '*.h' '*.hpp' | grep -v frozen_client/include)

.PHONY: deps build demo demo-up test sanitize bench format tidy clean

build: deps
	@cmake --preset dev >/dev/null
	@cmake --build --preset dev

deps:
	@.ci/deps

demo demo-up: deps
	@cmake --preset dev >/dev/null
	@cmake --build --preset dev --target examples/hosts/all
	@$(PYTHON) examples/demo/demo.py --bin build/dev $(if $(filter demo-up,$@),--up)

test: deps
	@$(PYTHON) tests/run

sanitize: deps
	@$(PYTHON) tests/run asan tsan

bench: deps
	@cmake --preset release >/dev/null
	@cmake --build --preset release --target bench/all examples/hosts/all corbel_c
	@$(PYTHON) bench/run.py --bin build/release $(if $(BENCH),--only $(BENCH))

format: deps
	@clang-format -i $(SOURCES)

tidy: deps
	@cmake --preset dev >/dev/null
	@$(PYTHON) tests/tidy.py build/dev

clean:
	rm -rf build
