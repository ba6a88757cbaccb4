#!/usr/bin/python3
"""Publishes a clip with GStreamer's webrtcbin and prints what the server says of it, one JSON message a line."""

import argparse
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402

from whip import Session  # noqa: E402

CODERS = {
    "VP8": "vp8enc deadline=1 target-bitrate=2000000 keyframe-max-dist=60 ! rtpvp8pay picture-id-mode=2"
    " ! application/x-rtp,media=video,encoding-name=VP8,payload=96",
    "H264": "x264enc tune=zerolatency speed-preset=ultrafast bitrate=2000 key-int-max=60"
    " ! video/x-h264,profile=constrained-baseline ! rtph264pay aggregate-mode=zero-latency config-interval=-1"
    " ! application/x-rtp,media=video,encoding-name=H264,payload=96",
}


class Publisher:
    def __init__(self, url, clip, codec, policy):
        self.url, self.session, self.reader, self.failed = url, None, None, None
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.parse_launch(
            f'webrtcbin name=peer bundle-policy={policy} filesrc location="{clip}" ! decodebin ! videoconvert'
            f" ! clocksync name=clock ! {CODERS[codec]} ! peer."
        )
        self.peer = self.pipeline.get_by_name("peer")
        self.peer.connect("on-negotiation-needed", self.negotiate)
        clock = self.pipeline.get_by_name("clock").get_static_pad("src")
        clock.add_probe(Gst.PadProbeType.EVENT_DOWNSTREAM, self.ended)  # webrtcbin tells of no end
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", lambda _, message: self.fail(message.parse_error()[0]))

    def run(self):
        """Plays the clip to its end. Returns what went wrong, or None."""
        self.pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        if self.session:
            self.session.end()
            self.reader.join()
        self.pipeline.set_state(Gst.State.NULL)
        return self.failed

    def fail(self, error):
        self.failed = error
        self.loop.quit()

    def negotiate(self, peer):
        direction = GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY
        peer.emit("get-transceiver", 0).set_property("direction", direction)
        peer.emit("create-offer", None, Gst.Promise.new_with_change_func(self.offer))

    def offer(self, promise):
        reply = promise.get_reply()  # has to outlive the offer, which it owns
        offer = reply.get_value("offer")
        self.peer.emit("set-local-description", offer, None)
        try:  # without candidates: the server learns the address from the first check
            self.session = Session(self.url, offer.sdp.as_text())
        except OSError as error:
            GLib.idle_add(self.fail, error)
            return
        self.reader = self.session.read_labels()
        _, answer = GstSdp.SDPMessage.new_from_text(self.session.answer)
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, answer)
        self.peer.emit("set-remote-description", answer, None)

    def ended(self, _pad, info):
        if info.get_event().type == Gst.EventType.EOS:
            GLib.timeout_add_seconds(1, self.loop.quit)  # for the labels of the last frames
        return Gst.PadProbeReturn.OK


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("url", help="the server's /whip")
parser.add_argument("clip", help="any file that GStreamer can read: Debian has no H264 decoder for it, WebM is fine")
parser.add_argument("--codec", default="VP8", choices=CODERS)
parser.add_argument("--policy", default="none", help="webrtcbin's bundle-policy; none is its default")
args = parser.parse_args()
Gst.init(None)
sys.exit(str(failed) if (failed := Publisher(args.url, args.clip, args.codec, args.policy).run()) else 0)
