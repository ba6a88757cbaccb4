#!/usr/bin/env python3
"""Publishes a clip with FFmpeg's own whip muxer, through PyAV, and prints what the server says of it.

The muxer keeps the session's address to itself. A proxy learns it and prints one JSON message a line.
"""

import argparse
import http.server
import json
import multiprocessing
import sys
import threading
import time
import urllib.error

import av

from whip import Session


class Proxy(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        offer = self.rfile.read(int(self.headers["Content-Length"])).decode()
        try:
            session = Session(self.server.url, offer)
        except urllib.error.HTTPError as refusal:
            print(json.dumps({"type": "refused", "code": str(refusal.code), "reason": json.load(refusal)["detail"]}),
                  flush=True)
            self.send_error(refusal.code)
            return
        self.server.reader = session.read_labels()
        body = session.answer.encode()
        self.send_response(201)
        self.send_header("Content-Type", "application/sdp")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Location", session.url)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def publish(url, clip, options):
    """Publishes the clip to its end, at its own speed. The muxer takes no B-frames."""
    try:
        play(url, clip, options)
    except av.error.FFmpegError as error:
        sys.stderr.write(f"FFmpeg: {error}\n")


def play(url, clip, options):
    source = av.open(clip)
    video = source.streams.video[0]
    target = av.open(url, "w", format="whip", options=options)
    options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline"}
    stream = target.add_stream("libx264", rate=video.average_rate, options=options)
    stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
    start = time.monotonic()
    for frame in source.decode(video):
        time.sleep(max(0, start + frame.time - time.monotonic()))
        target.mux(stream.encode(frame.reformat(format="yuv420p")))
    target.mux(stream.encode(None))
    time.sleep(1)  # for the labels of the last frames
    target.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="the server's /whip")
    parser.add_argument("clip", help="any file that FFmpeg can read")
    parser.add_argument("--option", action="append", default=[], help="KEY=VALUE of the muxer")
    args = parser.parse_args()
    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    proxy.url, proxy.reader = args.url, None
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    options = dict(o.split("=", 1) for o in args.option)
    # In a process of its own: the muxer waits for answers with Python's lock held.
    publisher = multiprocessing.get_context("spawn").Process(
        target=publish, args=(f"http://127.0.0.1:{proxy.server_port}/whip", args.clip, options))
    publisher.start()
    publisher.join()
    if proxy.reader:
        proxy.reader.join()


if __name__ == "__main__":
    main()
