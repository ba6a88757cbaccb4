"""The loop of the notebook that Mindflow's preset `notebook` repeats, for comparison and for its speed.

Every frame: OpenCV reads it, a Haar cascade finds the faces, each box is grown by 60 pixels and cut at
the frame, PIL resizes it to 224 by 224, ImageNet's mean and deviation normalise it, DAN labels it.

    python3 bench/notebook_loop.py VIDEO --reference DAN.py --weights CHECKPOINT.pth [--json OUT]
                                            [--compare FILE] [--frames N] [--threads N] [--samples OUT]

DAN.py defines DAN and LABELS, as models/training/dan.py does; the checkpoint holds its state dict, as that which
models/training/unfold.py makes of the file that ships. --compare names what `mindflow video VIDEO --preset notebook --json`
printed. --samples writes one frame of two seconds, which is how cmd/mindflow/internal/media/testdata/notebook.json was made. On Debian:
apt-get install python3-opencv python3-torch python3-torchvision python3-pil opencv-data.
"""
import argparse
import importlib.util
import json
import sys
import time

import cv2
import torch
from PIL import Image
from torchvision import transforms

MARGIN = 60  # pixels
CASCADE = "/usr/share/opencv4/haarcascades/haarcascade_frontalface_default.xml"

prepare = transforms.Compose([
    transforms.Resize((224, 224)),  # of a PIL picture: bilinear, antialiased
    transforms.ToTensor(),
    transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
])


def load(reference, weights):
    spec = importlib.util.spec_from_file_location("reference", reference)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    state = torch.load(weights, map_location="cpu")
    for key in ("model_state_dict", "state_dict"):
        state = state.get(key, state)
    net = module.DAN(classes=len(module.LABELS))
    net.load_state_dict(state)
    return net.eval(), module.LABELS


def faces(frame, cascade, net, labels):
    """Boxes in pixels with label and probabilities, largest box first."""
    grey = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    found = []
    for x, y, w, h in cascade.detectMultiScale(grey, scaleFactor=1.1, minNeighbors=5, minSize=(30, 30)):
        roi = frame[max(0, y - MARGIN):y + h + MARGIN, max(0, x - MARGIN):x + w + MARGIN]
        picture = Image.fromarray(cv2.cvtColor(roi, cv2.COLOR_BGR2RGB))
        with torch.no_grad():
            logits, _, _ = net(prepare(picture).unsqueeze(0))
        scores = torch.softmax(logits, dim=1)[0]
        found.append({"box": [int(x), int(y), int(w), int(h)], "label": labels[int(scores.argmax())],
                      "scores": [round(float(s), 5) for s in scores]})
    return sorted(found, key=lambda f: (-f["box"][2], f["box"][0], f["box"][1]))


def read(args, net, labels):
    """Labels every frame; gives them, and of the loop alone the frames a second and the processor's ms a frame."""
    cascade = cv2.CascadeClassifier(args.cascade)
    if cascade.empty():
        sys.exit(f"{args.cascade} is no cascade; apt-get install opencv-data, or name one with --cascade")
    capture = cv2.VideoCapture(args.video)
    frames, began, used = [], time.perf_counter(), time.process_time()
    while len(frames) != args.frames:
        ok, frame = capture.read()
        if not ok:
            break
        frames.append({"width": frame.shape[1], "height": frame.shape[0], "faces": faces(frame, cascade, net, labels)})
    if not frames:
        sys.exit(f"{args.video}: no frame can be read")
    return frames, len(frames) / (time.perf_counter() - began), 1000 * (time.process_time() - used) / len(frames)


def write_samples(frames, video, path):
    """Writes of the first frame and of each 2 s later, by the file's rate, when it is and its largest face."""
    rate = cv2.VideoCapture(video).get(cv2.CAP_PROP_FPS)
    rows = [dict(t=round(n / rate, 3), **frames[n]["faces"][0]) for n in range(0, len(frames), round(2 * rate))]
    with open(path, "w") as out:
        out.write("[\n  " + ",\n  ".join(json.dumps(row) for row in rows) + "\n]\n")


def iou(a, b):
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    inter = max(0, w) * max(0, h)
    return inter / (a[2] * a[3] + b[2] * b[3] - inter)


def compare(frames, path):
    """Prints on how many frames, of those where both see a face, all faces pair up with equal labels."""
    with open(path) as file:
        other = [json.loads(line) for line in file]
    if len(other) < len(frames):
        sys.exit(f"{path} has {len(other)} frames, want {len(frames)}")
    both = agree = one = same_boxes = 0
    worst, shifts = 0.0, []
    for n, (ours, theirs) in enumerate(zip(frames, other)):
        left, right = list(ours["faces"]), []
        for face in theirs["faces"]:
            x, y, w, h = face["box"]
            right.append(dict(face, box=[x * ours["width"], y * ours["height"], w * ours["width"], h * ours["height"]]))
        if bool(left) != bool(right):
            one += 1
        if not left or not right:
            continue
        both += 1
        pairs = [(a, max(right, key=lambda b: iou(a["box"], b["box"]))) for a in left]
        ok = len(left) == len(right) and all(iou(a["box"], b["box"]) > 0.5 and a["label"] == b["label"] for a, b in pairs)
        agree += ok
        exact = all(max(abs(p - q) for p, q in zip(a["box"], b["box"])) < 0.1 for a, b in pairs)
        same_boxes += exact and len(left) == len(right)
        if exact:
            shifts += [max(abs(p - q) for p, q in zip(a["scores"], b["scores"])) for a, b in pairs]
        if not ok:
            print(f"frame {n}:", [(f["box"], f["label"]) for f in left],
                  [([round(v, 1) for v in f["box"]], f["label"]) for f in right])
    print(f"both see a face on {both} frames, only one does on {one}")
    print(f"they agree on {agree} of {both} ({100 * agree / max(1, both):.1f} %); equal boxes on {same_boxes}")
    if shifts:
        shifts.sort()
        print(f"with equal boxes, probabilities differ by {shifts[len(shifts) // 2]:.4f} (median), {shifts[-1]:.4f} at most")


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("video")
    p.add_argument("--reference", required=True, help="Python file that defines DAN and LABELS")
    p.add_argument("--weights", required=True, help="PyTorch checkpoint")
    p.add_argument("--cascade", default=CASCADE)
    p.add_argument("--json", help="write one JSON object a frame to this file")
    p.add_argument("--samples", help="write one frame of two seconds to this file")
    p.add_argument("--compare", help="what mindflow video --preset notebook --json printed")
    p.add_argument("--frames", type=int, default=-1, help="stop after so many")
    p.add_argument("--threads", type=int, help="of PyTorch and OpenCV each")
    args = p.parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
        cv2.setNumThreads(args.threads)
    frames, speed, work = read(args, *load(args.reference, args.weights))
    print(f"{len(frames)} frames, {speed:.2f} frames a second, {work:.1f} ms of processor time each")
    if args.json:
        with open(args.json, "w") as out:
            for frame in frames:
                out.write(json.dumps(frame) + "\n")
    if args.samples:
        write_samples(frames, args.video, args.samples)
    if args.compare:
        compare(frames, args.compare)


if __name__ == "__main__":
    main()
