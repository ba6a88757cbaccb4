"""Trains DAN. `python train.py --data FERPLUS.tar.gz --out RUN` begins a run, or resumes one that was cut.

RUN/last.pt holds the state to resume from. RUN/dan.pth holds the averaged weights of the latest epoch, for evaluate.py
and `mindflow model import`. RUN/log.jsonl has one line per epoch, and RUN/curves.png draws it.
"""

import copy
import json
import math
import os
import sys
import time
from pathlib import Path

import torch

import curves
import data
import points
from augment import Draw, Strength, augment, mix
from dan import DAN, LABELS, WIDTH, load
from losses import AffinityLoss, partition_loss, vote_loss
from measure import figures, inputs_of, logits_of
from options import arguments


class Run:
    """A training run: its state and its steps."""

    def __init__(self, options, train, places=None):
        self.options, self.train, self.places = options, train, places
        self.strength = Strength(options.webcam, tuple(options.scale), options.rotation, options.cover, options.coarse)
        device = options.device
        torch.manual_seed(options.seed)
        self.net = load(options.start, device).train() if options.start else DAN().to(device)
        self.net = self.net.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.net).eval().requires_grad_(False)
        self.affinity = AffinityLoss(len(LABELS)).to(device)
        groups = [{"params": self.net.parameters()}, {"params": self.affinity.parameters(), "weight_decay": 0.0}]
        self.kept = ["net", "average", "affinity", "optimizer"]
        if places:
            self.head = points.PointsHead(WIDTH * math.ceil(options.size / 32) ** 2, places.mean).to(device)
            groups.append({"params": self.head.parameters()})
            self.kept.append("head")
        self.optimizer = torch.optim.AdamW(groups, lr=options.rate, weight_decay=options.decay, fused=True)
        self.draw = Draw(device, options.seed)
        self.step = 0
        self.log = []
        self.priors = train.votes.mean(dim=0)
        self.an_epoch = len(train) // options.batch
        self.steps = round(options.epochs * self.an_epoch)
        self.branched = 0

    def save(self, path):
        state = {name: getattr(self, name).state_dict() for name in self.kept}
        state |= {
            "step": self.step,
            "branched": self.branched,
            "log": self.log,
            "draw": self.draw.generator.get_state(),
            "options": printable(self.options),
        }
        write(state, path)

    # Options that may differ when a run resumes: paths, the machine and the clock.
    FREE = {
        "out",
        "data",
        "points",
        "device",
        "precision",
        "start",
        "branch",
        "save_every",
        "stop_after",
        "stop_at_step",
    }

    def resume(self, path):
        """Continues from this run's own last.pt, with the same options, as if the run had not been cut."""
        free = self.FREE | ({"epochs"} if self.options.schedule == "wsd" else set())
        state = self.read(path, lambda name: name not in free)
        self.branched = state["branched"]
        self.plan()

    def branch(self, path):
        """Begins with the last.pt of another run, whose options may be others."""
        self.read(path, lambda name: name in {"size", "batch", "decay"})
        self.branched = self.step
        self.plan()

    def read(self, path, fixed):
        state = torch.load(path, map_location=self.options.device, weights_only=True)
        changed = [k for k, v in printable(self.options).items() if fixed(k) and state["options"].get(k) != v]
        if ("head" in state) != ("head" in self.kept):
            changed.append("points")
        if changed:
            raise SystemExit(f"{path} was begun with other values of {', '.join(changed)}; use those, or another --out")
        for name in self.kept:
            getattr(self, name).load_state_dict(state[name])
        self.step, self.log = state["step"], state["log"]
        self.draw.generator.set_state(state["draw"].cpu())
        return state

    def plan(self):
        """Sets the last step: --epochs from the start, or --decay-epochs from the branch."""
        if self.options.decay_epochs > 0:
            self.steps = self.branched + round(self.options.decay_epochs * self.an_epoch)

    def order(self, epoch):
        """Returns the order of an epoch's faces. It depends on seed and epoch only, so a resumed run sees the rest."""
        chance = torch.Generator().manual_seed(self.options.seed * 1_000_003 + epoch)
        if self.options.balance <= 0:
            return torch.randperm(len(self.train), generator=chance)
        weights = (self.train.votes @ self.priors.pow(-self.options.balance)).cpu()
        return torch.multinomial(weights, len(self.train), replacement=True, generator=chance)

    def rest(self):
        """Yields the places of the faces of each remaining step."""
        size = self.options.batch
        for epoch in range(self.step // self.an_epoch, math.ceil(self.steps / self.an_epoch)):
            order = self.order(epoch).to(self.options.device)
            while self.step < min(self.steps, (epoch + 1) * self.an_epoch):
                place = self.step % self.an_epoch
                yield order[place * size : (place + 1) * size]

    def rate(self):
        o = self.options
        rate = o.rate * min(1, (self.step + 1) / max(1, o.warmup))
        if o.decay_epochs > 0:
            return rate * (
                1 - math.sqrt((self.step - self.branched) / (self.steps - self.branched))
            )  # arXiv 2405.18392
        return rate if o.schedule == "wsd" else rate * (1 + math.cos(math.pi * self.step / self.steps)) / 2

    def learn(self, chosen):
        """Takes one step on the chosen faces. Returns the loss, and the points' loss without its weight."""
        o, held = self.options, self.places
        x, moved = augment(
            self.train.pictures[chosen],
            o.size,
            self.draw,
            self.strength,
            *((held.of(chosen), held.pair) if held else ()),
        )
        votes, alone = self.train.votes[chosen], torch.ones(len(chosen), dtype=torch.bool, device=o.device)
        if o.mix > 0:
            x, votes, alone = mix(x, votes, self.draw, o.mix)
        with torch.autocast(torch.device(o.device).type, torch.bfloat16, enabled=o.precision == "bf16"):
            maps = self.net.features(x)
            logits, features, heads = self.net.attend(maps)
        loss = vote_loss(logits, votes)
        if o.affinity > 0:
            loss = loss + o.affinity * self.affinity(features, votes)
        if o.partition > 0:
            loss = loss + o.partition * partition_loss(heads)
        placed = loss.new_zeros(())
        if held:
            placed = points.points_loss(self.head(maps.float()), moved, held.found[chosen] & alone)
            loss = loss + o.points_weight * placed
        if not torch.isfinite(loss):
            raise SystemExit(
                f"the loss is {loss.item()} at step {self.step}; go on from {o.out}/last.pt with a smaller --rate"
            )
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimizer.step()
        self.step += 1
        self.follow()
        return loss.detach(), placed.detach()

    @torch.no_grad()
    def follow(self):
        """Moves the average towards the weights; quicker at first, when they change most."""
        keep = min(self.options.average, (1 + self.step) / (10 + self.step))
        for mean, now in zip(self.average.state_dict().values(), self.net.state_dict().values()):
            if mean.dtype.is_floating_point:
                mean.lerp_(now, 1 - keep)
            else:
                mean.copy_(now)


def printable(options):
    return {k: str(v) if isinstance(v, Path) else v for k, v in vars(options).items()}


def write(state, path):
    """Replaces the file in one step, so that a cut leaves the old one."""
    torch.save(state, f"{path}.part")
    os.replace(f"{path}.part", path)


def progress(run, loss, seconds, taken):
    left = (run.steps - run.step) * seconds / max(1, taken)
    end = "\r" if sys.stderr.isatty() else "\n"
    if end == "\r" or taken % 100 == 1:
        print(
            f"step {run.step}/{run.steps}  epoch {run.step / run.an_epoch:.2f}  loss {loss:.3f}  "
            f"{seconds / max(1, taken):.2f} s a step  {left / 60:.0f} min left ",
            end=end,
            file=sys.stderr,
            flush=True,
        )


def judge(run, valid, inputs, losses):
    """Returns a line of the log: the averaged network on valid, plain and as by a poor camera."""
    device = run.options.device
    plain, webcam = (logits_of(run.average, x, device) for x in inputs)
    loss, placed = (sum(part) / max(1, len(losses)) for part in (zip(*losses) if losses else ([], [])))
    line = {"epoch": round(run.step / run.an_epoch, 2), "step": run.step, "loss": loss}
    if run.places:
        line["points_loss"] = placed
    for name, logits, classes in [
        ("majority", plain, valid.majority),
        ("plurality", plain, valid.plurality),
        ("webcam", webcam, valid.majority),
    ]:
        line |= {f"{name}_{k}": v for k, v in figures(logits, classes).items() if k in ("accuracy", "macro_recall")}
    return line


def end_epoch(run, valid, inputs, losses):
    """Measures the average, and writes weights, log and curves."""
    out = run.options.out
    run.log.append(judge(run, valid, inputs, losses))
    print(json.dumps(run.log[-1]), flush=True)
    write({"model_state_dict": run.average.state_dict()}, out / "dan.pth")
    (out / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in run.log))
    curves.draw(run.log, out / "curves.png")


def main():
    o = arguments()
    o.out.mkdir(parents=True, exist_ok=True)
    train, valid = data.read(o.data, "train", o.store), data.read(o.data, "valid", o.store)
    places = points.read(o.points, "Train", train.names).to(o.device) if o.points else None
    run, last = Run(o, train.to(o.device), places), o.out / "last.pt"
    if last.exists():
        run.resume(last)
    elif o.branch:
        run.branch(o.branch)
    if run.step > 0:
        print(f"goes on from step {run.step} of {run.steps}", file=sys.stderr)
    inputs = inputs_of(valid, o.size), inputs_of(valid, o.size, webcam=True)
    began = saved = time.monotonic()
    first, losses = run.step, []
    for chosen in run.rest():
        losses.append([part.item() for part in run.learn(chosen)])
        now = time.monotonic()
        progress(run, losses[-1][0], now - began, run.step - first)
        ended = run.step % run.an_epoch == 0 or run.step == run.steps
        if ended:
            end_epoch(run, valid, inputs, losses)
            losses = []
        stop = now - began > o.stop_after * 60 or run.step >= o.stop_at_step
        if stop or ended or now - saved > o.save_every * 60:
            run.save(last)
            saved = now
        if stop and run.step < run.steps:
            print(f"stopped at step {run.step} of {run.steps}; the same command goes on", file=sys.stderr)
            return


if __name__ == "__main__":
    main()
