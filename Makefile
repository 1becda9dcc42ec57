# Every target installs what it needs (Debian 12) and prints what it does. `make help` lists them.
JOBS ?= 2
RELEASE := build/release
# The main job: which feed-forward layer? 3600 steps are 1 TFLOP a run (ffn plan). Two runs at a time,
# half the threads each: small models keep one core busier than two.
DEMO_DESIGNS := --ffn 'mlp(relu)' --ffn 'mlp(gelu)' --ffn 'glu(gelu)' --ffn 'glu(silu)' --ffn 'dwconv(gelu)'
DEMO_RECIPE := --model vit-pico --patch 7 --batch 32 --lr 2e-3 --steps 3600 --eval-steps 600
DEMO_OUT ?= build/demo
CTEST := ctest --test-dir $(RELEASE) -j$(JOBS) --timeout 300 --output-on-failure --no-tests=error
# CI turns warnings into errors; a user's newer compiler may warn about more than ours does.
CONFIGURE := cmake $(if $(CI),-DCMAKE_COMPILE_WARNING_AS_ERROR=ON)

.PHONY: help demo test bench fixtures format check tidy clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' Makefile

demo:  ## build, and compare feed-forward layers on Fashion-MNIST (minutes; goes on where it stopped)
	tools/install_deps demo
	$(CONFIGURE) --preset demo
	cmake --build --preset demo -j$(JOBS)
	$(RELEASE)/ffn compare $(DEMO_DESIGNS) --match params $(DEMO_RECIPE) --data fashion-mnist \
	  --seeds 2 --jobs 2 --scale 'demo scale' --out $(DEMO_OUT)

test:  ## build everything and run all tests
	tools/install_deps test
	$(CONFIGURE) --preset release
	cmake --build --preset release -j$(JOBS)
	$(CTEST)

bench:  ## run every benchmark; results are verified before they are timed
	tools/install_deps test
	$(CONFIGURE) --preset release
	cmake --build --preset release -j$(JOBS)
	$(RELEASE)/ffn bench smoke products ffn backward decode tiny moe memory train
	@for program in $(RELEASE)/bench/bench_*; do \
	  [ -x "$$program" ] && [ -f "$$program" ] || continue; \
	  echo "== $$program"; "$$program" || exit 1; done

fixtures:  ## make the parity fixtures again with PyTorch and compare with those in the tree
	tools/install_deps dev
	.venv/bin/python tests/fixtures/make_fixtures.py --check
	.venv/bin/python tests/fixtures/make_tokenizers.py --check

format:  ## rewrite the C++ files in the project's style
	tools/install_deps ci
	tools/check_format --fix

check:  ## style, layering, exported symbols
	tools/install_deps ci
	tools/check_format
	tools/check_layering
	$(CONFIGURE) --preset release
	cmake --build --preset release -j$(JOBS)
	tools/check_isa_symbols $(RELEASE)

tidy:  ## clang-tidy over the library (minutes)
	tools/install_deps ci
	$(CONFIGURE) --preset dev
	cmake --build --preset dev -j$(JOBS)
	run-clang-tidy-19 -quiet -j$(JOBS) -p build/dev '/src/ffn/'

clean:  ## remove every build
	rm -rf build
