"""PyTorch on the same weights, as the yardstick of bench/gpu.sh: rows of the table that `mindflow bench` prints.

From faces in the processor's memory to scores there, as a server needs it. Differences are from PyTorch's own float32 on the CPU.

    python bench/gpu_torch.py CHECKPOINT --batch 1,8,64 [--device cuda] [--duration 2]
"""
import argparse
import sys
import time
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "models" / "training"))
from dan import load  # noqa: E402


def pictures(n, size):
    """Waves, another for each picture."""
    at = torch.arange(3 * size * size, dtype=torch.float32).reshape(1, 3, size, size)
    return torch.sin(at * (0.013 + 0.007 * torch.arange(n).reshape(n, 1, 1, 1)))


def timed(call, seconds):
    times, began = [], time.perf_counter()
    while time.perf_counter() - began < seconds or len(times) < 5:
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1000)
    return sorted(times), time.perf_counter() - began


def measure(run, truth, x, device, half, seconds):
    """One row's numbers for one batch."""
    there = x.pin_memory() if device == "cuda" else x

    def classify():
        with torch.inference_mode(), torch.autocast(device, dtype=torch.float16 if device == "cuda" else torch.bfloat16, enabled=half):
            return run(there.to(device, non_blocking=True))[0].float().cpu()

    for _ in range(3):  # compiles, and chooses kernels
        logits = classify()
    times, took = timed(classify, seconds)
    got = logits.softmax(1)
    apart = (got - truth[: len(x)]).abs().max().item()
    same = (got.argmax(1) == truth[: len(x)].argmax(1)).float().mean().item()
    return times, len(x) * len(times) / took, apart, same


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("checkpoint")
    p.add_argument("--batch", default="1,8,64")
    p.add_argument("--size", type=int, default=96, help="side of the network's input")
    p.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", choices=["cuda", "cpu"])
    p.add_argument("--precision", default="fp32,fp16", help="on the CPU the latter is bfloat16")
    p.add_argument("--how", default="eager,compiled")
    p.add_argument("--duration", type=float, default=2, help="seconds of each measurement")
    a = p.parse_args()
    if a.device == "cpu":
        torch.set_num_threads(1)  # as `mindflow bench` has, and threads that wait for one another stand still on a busy machine
    batches = [int(n) for n in a.batch.split(",")]
    x = pictures(max(batches), a.size)
    net = load(a.checkpoint)
    with torch.inference_mode():
        truth = torch.cat([net(part)[0].softmax(1) for part in x.split(8)])
    net = net.to(a.device)
    print(f"PyTorch {torch.__version__} on {torch.cuda.get_device_name() if a.device == 'cuda' else 'the CPU'}", file=sys.stderr)
    for how in a.how.split(","):
        for precision in a.precision.split(","):
            for batch in batches:
                print(f"PyTorch {how} in {precision}: batches of {batch}", file=sys.stderr)
                torch._dynamo.reset()
                # A graph for each shape, recorded once: PyTorch's fastest for small batches.
                run = net if how == "eager" else torch.compile(net, mode="reduce-overhead" if a.device == "cuda" else None, dynamic=False)
                try:
                    times, rate, apart, same = measure(run, truth, x[:batch], a.device, precision == "fp16", a.duration)
                except Exception as e:  # a compiler that is missing, memory that is full: the other rows are worth having
                    print(f"PyTorch {how} {precision} {batch} skipped: {' '.join(str(e).split())[:300]}", file=sys.stderr)
                    continue
                print(f"| {a.device}, PyTorch {how} | {precision} | {batch} | {times[len(times) // 2]:.2f} | {times[len(times) * 95 // 100]:.2f} | {rate:.0f} "
                      f"| 1 | {rate:.0f} | – | – | {apart:.2g} | {100 * same:.0f} % |", flush=True)


if __name__ == "__main__":
    main()
