#!/bin/bash
# Puts ONNX Runtime for NVIDIA's GPUs into the folder $1. "make gpu" calls it.
#
#   GPU_URL=URL GPU_SHA256=SUM   take it out of this release archive (.tgz) instead of the wheel of gpu.txt
#   CUDA=yes                     put CUDA's and cuDNN's libraries beside it, for a machine that has the driver alone (2.1 GB)
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
to=$1
work=$(dirname "$to")/.gpu.part
stop() { echo "make gpu: $*" >&2; exit 1; }

[ "$(uname -s) $(uname -m)" = "Linux x86_64" ] || stop "there is no such library for $(uname -s) $(uname -m); build ONNX Runtime 1.27 with CUDA and name it by --ort-lib"
rm -rf "$work"
mkdir -p "$work/files" "$work/lib"
trap 'rm -rf "$work"' EXIT

wheels() { # of the requirements file $1, whose sums pip checks
    [ -x .cache/gpu/bin/python ] || python3 -m venv .cache/gpu || stop "python3 has no venv; install python3-venv"
    .cache/gpu/bin/python -m pip download -q --disable-pip-version-check --require-hashes --no-deps --only-binary=:all: --python-version 3.11 \
        --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux2014_x86_64 -d "$work/wheels" -r "$1" \
        || stop "pip could not fetch what $1 names; see above. Check the network."
    for wheel in "$work"/wheels/*.whl; do
        python3 -m zipfile -e "$wheel" "$work/files"
        rm "$wheel"
    done
}

if [ -n "${GPU_URL:-}" ]; then
    [ -n "${GPU_SHA256:-}" ] || stop "say the archive's sum too: make gpu GPU_URL=... GPU_SHA256=..."
    curl -fsSL -o "$work/archive.tgz" "$GPU_URL" || stop "curl could not fetch $GPU_URL"
    echo "$GPU_SHA256  $work/archive.tgz" | sha256sum -c --quiet || stop "$GPU_URL is not the archive of that sum"
    tar xzf "$work/archive.tgz" -C "$work/files"
else
    wheels "$here/gpu.txt"
fi
[ "${CUDA:-}" != yes ] || wheels "$here/cuda.txt"

find "$work/files" -type f -name 'lib*.so*' ! -name 'onnxruntime_pybind*' -exec mv -t "$work/lib" {} +
[ ! -e "$work"/lib/libonnxruntime.so.1.* ] || mv "$work"/lib/libonnxruntime.so.1.* "$work/lib/libonnxruntime.so.1"
[ -f "$work/lib/libonnxruntime_providers_cuda.so" ] || stop "there is no libonnxruntime_providers_cuda.so in it"

needs() { readelf -d "$work/lib/libonnxruntime_providers_$1.so" | sed -n 's/.*(NEEDED).*\[\(lib\(cu\|nv\).*\)\]/\1/p' | sort | tr '\n' ' '; }
echo "CUDA needs:      $(needs cuda)"
[ ! -f "$work/lib/libonnxruntime_providers_tensorrt.so" ] || echo "TensorRT needs:  $(needs tensorrt)"
sed -n 's/^Requires-Dist: \(nvidia[^;]*\);.*/from pip:        \1/p' "$work"/files/onnxruntime_gpu-*/METADATA 2>/dev/null || true
mkdir -p "$(dirname "$to")"
rm -rf "$to"
mv "$work/lib" "$to"
