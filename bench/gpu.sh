#!/bin/bash
# Measures what this machine has: Mindflow on each device, batch and precision, and PyTorch on the same weights. It reaches no network; carry
# bin (with "make gpu CUDA=yes", bin/lib/gpu), bench and models, and a Python with PyTorch where that is to be the yardstick.
#
#   bench/gpu.sh [CHECKPOINT.pth]          prints a table in Markdown; what is missing is said on the way and left out
#
# DEVICES="cpu cuda tensorrt webgpu" BATCHES=1,2,4,8,16,32,64,128 DURATION=2 PYTHON=python3 TORCH=eager,compiled choose otherwise.
set -u -o pipefail
cd "$(dirname "$0")/.."
checkpoint=${1:-}
: "${DEVICES:=cpu cuda tensorrt webgpu}" "${BATCHES:=1,2,4,8,16,32,64,128}" "${DURATION:=2}" "${PYTHON:=python3}" "${TORCH:=eager,compiled}"
torch=cpu
rows=$(mktemp) limits=$(mktemp) one=$(mktemp)
trap 'report; rm -f "$rows" "$limits" "$one"' EXIT # what was measured is told, though the rest takes too long
trap 'exit 143' TERM INT
report() {
    echo '| device | precision | batch | ms, median | ms, 95th percentile | faces a second | in flight | faces a second then | share of limit | joule a face | largest difference from the CPU | same label |'
    echo '|---|---|---|---|---|---|---|---|---|---|---|---|'
    cat "$rows"
    echo
    cat "$limits"
    # At batch 1 in latency, at the largest one in throughput.
    awk -F ' *[|] *' -v torch=$torch -v last="${BATCHES##*,}" '
        { ms[$2 "/" $3 "/" $4] = $5; rate[$2 "/" $3 "/" $4] = $9 }
        END {
            a = torch "/fp32/1"; b = torch ", PyTorch eager/fp32/1"
            if (ms[a] > 0 && ms[b] > 0) printf "Batch 1, fp32, on %s: %.2f times as fast as PyTorch eager.\n", torch, ms[b] / ms[a]
            n = split("fp32 fp16", p, " ")
            for (i = 1; i <= n; i++) {
                a = torch "/" p[i] "/" last; b = torch ", PyTorch compiled/" p[i] "/" last
                if (rate[a] > 0 && rate[b] > 0) printf "Batch %s, %s, on %s: %.2f times the faces a second of PyTorch compiled.\n", last, p[i], torch, rate[a] / rate[b]
            }
        }' "$rows"
}

note() { echo "gpu.sh: $*" >&2; }

[ -x bin/mindflow ] || { note 'there is no bin/mindflow; run "make build"'; exit 1; }
note "$(uname -m), $(nproc) processors, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)"
if command -v nvidia-smi >/dev/null; then nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader >&2; else note "no nvidia-smi: no NVIDIA driver here"; fi

for device in $DEVICES; do
    library=bin/lib/libonnxruntime.so.1 precisions=fp32,fp16
    case $device in
    cpu) precisions=fp32,int8 ;;
    webgpu) precisions=fp32 ;;
    cuda* | tensorrt*)
        library=bin/lib/gpu/libonnxruntime.so.1
        [ -f $library ] || { note "$device skipped: there is no $library; run \"make gpu\" where there is a network"; continue; } ;;
    esac
    if bin/mindflow bench --device "$device" --ort-lib $library --batch "$BATCHES" --precision $precisions --duration "${DURATION}s" >"$one"; then
        grep "^| $device " "$one" >>"$rows"
        grep -E '^Limit|skipped' "$one" | sed "s/^/$device: /" >>"$limits"
    else
        note "$device skipped, for the reason above"
    fi
done

grep -q '^| cuda' "$rows" && torch=cuda
if ! "$PYTHON" -c 'import torch, torchvision' 2>/dev/null; then
    note "PyTorch skipped: $PYTHON has no torch and torchvision; PYTHON= names another"
elif [ ! -f "$checkpoint" ]; then
    note "PyTorch skipped: name the checkpoint that bin/models/dan-ferplus.onnx was imported from: bench/gpu.sh CHECKPOINT.pth"
else
    "$PYTHON" bench/gpu_torch.py "$checkpoint" --batch "$BATCHES" --duration "$DURATION" --device $torch --how "$TORCH" >>"$rows" || note "PyTorch ended early, see above"
fi
