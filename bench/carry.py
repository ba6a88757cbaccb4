"""Ways to carry a face's box from one detection to the next, held against a detection in every frame.

    mindflow video CLIP --json --detect-every 0s --rest-every 0s --out every.json
    python3 bench/carry.py CLIP every.json

Three ways are compared at 2, 3, 4 and 6 frames from detection to detection: the box stays where it was; it goes on
with the velocity that it had (what a Kalman filter of constant velocity predicts); the median of OpenCV's optical flow
(pyramids of Lucas and Kanade, on a picture of half the size) moves it. `go run ./bench economy` measures
the one that Mindflow has. Needs Debian's python3-opencv.
"""

import json
import sys
import time

import cv2
import numpy as np

VELOCITY_TIME = 0.1  # seconds, of the running mean
GRID = np.stack(np.meshgrid(np.linspace(0.2, 0.8, 6), np.linspace(0.2, 0.8, 6)), -1).reshape(-1, 2)


def frames(path):
    """Gives the video's luma at half its size, and its frames a second."""
    video = cv2.VideoCapture(path)
    pictures = []
    while True:
        ok, picture = video.read()
        if not ok:
            return pictures, video.get(cv2.CAP_PROP_FPS)
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        pictures.append(cv2.resize(grey, (grey.shape[1] // 2, grey.shape[0] // 2), interpolation=cv2.INTER_AREA))


def iou(a, b):
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    inter = max(0, w) * max(0, h)
    return inter / (a[2] * a[3] + b[2] * b[3] - inter)


def centre(box):
    return np.array([box[0] + box[2] / 2, box[1] + box[3] / 2])


def flow(box, before, now):
    """Moves a box by the median flow of points within it."""
    size = np.array(now.shape[::-1])
    points = ((box[:2] + GRID * box[2:]) * size).astype(np.float32).reshape(-1, 1, 2)
    moved, found, _ = cv2.calcOpticalFlowPyrLK(before, now, points, None, winSize=(15, 15), maxLevel=2)
    found = found.ravel() == 1
    if not found.any():
        return box
    return np.concatenate([box[:2] + np.median((moved - points).reshape(-1, 2)[found], 0) / size, box[2:]])


def carried(way, every, boxes, pictures, rate):
    """Gives the IoU of each carried box with the detected one, and milliseconds a frame."""
    overlaps, spent = [], 0.0
    at = box = detected = None
    velocity = np.zeros(2)
    for i, truth in enumerate(boxes):
        if i % every == 0:
            if truth is not None and detected is not None:
                gain = 1 - np.exp(-(i - at) / rate / VELOCITY_TIME)
                velocity = velocity + gain * ((centre(truth) - centre(detected)) / (i - at) - velocity)
            at, box, detected = i, truth, truth
            continue
        if box is None or truth is None:
            continue
        began = time.perf_counter()
        if way == "velocity":
            box = np.concatenate([detected[:2] + velocity * (i - at), detected[2:]])
        elif way == "flow":
            box = flow(box, pictures[i - 1], pictures[i])
        spent += time.perf_counter() - began
        overlaps.append(iou(box, truth))
    return overlaps, 1000 * spent / len(overlaps)


def main(clip, messages):
    cv2.setNumThreads(1)
    pictures, rate = frames(clip)
    with open(messages) as lines:
        faces = [json.loads(line)["faces"] for line in lines]
    boxes = [np.array(f[0]["box"]) if f else None for f in faces][: len(pictures)]
    print("| way | a detection every | IoU of the boxes, mean | 5th percentile | ms a frame |")
    print("|---|---|---|---|---|")
    for every in (2, 3, 4, 6):
        for way in ("hold", "velocity", "flow"):
            overlaps, spent = carried(way, every, boxes, pictures, rate)
            print(f"| {way} | {every} frames | {np.mean(overlaps):.3f} | {np.percentile(overlaps, 5):.3f} | {spent:.2f} |")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
