#!/usr/bin/python3
"""Publishes a clip with aiortc and prints what the server says of it, one JSON message a line."""

import argparse
import asyncio

from aiortc import RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.contrib.media import MediaPlayer

from whip import Session


def prefer(transceiver, codec):
    known = RTCRtpSender.getCapabilities("video").codecs
    transceiver.setCodecPreferences([c for c in known if c.mimeType.lower() == f"video/{codec}".lower()])


def open_channels(pc, rubbish):
    """Opens the data channels, prints what comes on them, and sends so many bytes of rubbish on control."""
    labels = pc.createDataChannel("labels", ordered=False, maxRetransmits=0)
    control = pc.createDataChannel("control")
    for channel in (labels, control):
        channel.on("message", lambda message: print(message, flush=True))
    if rubbish:
        control.on("open", lambda: control.send("x" * rubbish))


async def publish(url, clip, codec, channels, rubbish):
    pc = RTCPeerConnection()
    video = MediaPlayer(clip).video
    prefer(pc.addTransceiver(video, direction="sendonly"), codec)
    if channels:
        open_channels(pc, rubbish)
    played = asyncio.Event()
    video.on("ended", played.set)

    await pc.setLocalDescription(await pc.createOffer())
    session = await asyncio.to_thread(Session, url, pc.localDescription.sdp)
    reader = None if channels else session.read_labels()
    await pc.setRemoteDescription(RTCSessionDescription(session.answer, "answer"))
    await played.wait()
    await asyncio.sleep(1)  # for the labels of the last frames
    await asyncio.to_thread(session.end)
    if reader:
        await asyncio.to_thread(reader.join)
    await pc.close()


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("url", help="the server's /whip")
parser.add_argument("clip")
parser.add_argument("--codec", default="VP8", choices=["VP8", "H264"])
parser.add_argument("--channels", action="store_true", help="read labels from data channels, not as server-sent events")
parser.add_argument("--rubbish", type=int, default=0, metavar="BYTES", help="send a control message of this size")
args = parser.parse_args()
asyncio.run(publish(args.url, args.clip, args.codec, args.channels, args.rubbish))
