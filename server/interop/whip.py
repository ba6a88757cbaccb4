"""What every publisher here does over HTTP: WHIP (RFC 9725), and labels as server-sent events."""

import re
import threading
import urllib.parse
import urllib.request


class Session:
    """A session that an offer opened. `answer` is the server's SDP."""

    def __init__(self, url, offer):
        request = urllib.request.Request(url, offer.encode(), {"Content-Type": "application/sdp"})
        with urllib.request.urlopen(request) as response:
            self.answer = response.read().decode()
            self.url = urllib.parse.urljoin(url, response.headers["Location"])
            link = re.search(r'<([^>]*)>; rel="urn:mindflow:labels"', ", ".join(response.headers.get_all("Link")))
            self.labels = urllib.parse.urljoin(url, link[1])

    def read_labels(self):
        """Prints the labels, one JSON message a line, until the session ends. Returns the thread that does."""
        thread = threading.Thread(target=self._read)
        thread.start()
        return thread

    def _read(self):
        with urllib.request.urlopen(self.labels) as events:
            for line in events:
                field, _, value = line.decode().rstrip("\n").partition(": ")
                if field == "data":
                    print(value, flush=True)

    def end(self):
        urllib.request.urlopen(urllib.request.Request(self.url, method="DELETE")).close()
