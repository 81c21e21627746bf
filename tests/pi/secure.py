"""TLS on the node's own certificate: OpenSSL and Mosquitto are the peers. Each way of agreeing on keys and each cipher that
the node offers is used once, for on a Pi Zero they run code made for its processor."""

import hashlib
import json
import re
import ssl
import subprocess

from node import PATIENCE, free_port
from steps import step

SETTINGS = """
[http]
tls_address = "127.0.0.1:0"

[mqtt]
tls_address = "127.0.0.1:{port}"
"""

# The protocol, its only cipher, the ways of agreeing on a key. With TLS 1.2 OpenSSL wants the certificate's curve among
# them, and the node prefers X25519.
OFFERS = [
    ("tls1_3", "TLS_AES_128_GCM_SHA256", "X25519"),
    ("tls1_3", "TLS_AES_256_GCM_SHA384", "P-384"),
    ("tls1_3", "TLS_CHACHA20_POLY1305_SHA256", "P-256"),
    ("tls1_2", "ECDHE-ECDSA-AES128-GCM-SHA256", "P-256"),
    ("tls1_2", "ECDHE-ECDSA-AES256-GCM-SHA384", "X25519:P-256"),
    ("tls1_2", "ECDHE-ECDSA-CHACHA20-POLY1305", "P-256"),
]


def asked(node, offer, request, trusted=True):
    """What OpenSSL is answered over this offer alone; it goes on only with a certificate that it trusts."""
    protocol, cipher, group = offer
    words = ["openssl", "s_client", "-quiet", "-connect", node.https, f"-{protocol}", "-groups", group,
             "-ciphersuites" if protocol == "tls1_3" else "-cipher", cipher, "-verify_return_error", "-verify_ip",
             "127.0.0.1", *(["-CAfile", node.certificate] if trusted else ["-no-CAfile", "-no-CApath", "-no-CAstore"])]
    return subprocess.run(words, input=request.encode(), capture_output=True, timeout=PATIENCE, check=False)


def request(person, words, body=""):
    """An HTTP request of somebody who is logged in."""
    headers = {"Host": "localhost", "Connection": "close", "Content-Type": "application/json",
               "Content-Length": len(body), **person.headers}
    return words + " HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n" + body


def answered(node, offer, person, words, body=""):
    """The JSON of an answer that must be good."""
    ran = asked(node, offer, request(person, words, body), True)
    head, _, said = ran.stdout.decode().partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200"), (offer, ran.returncode, head, ran.stderr.decode()[-2000:])
    return json.loads(said)


def secured(node, alice, texts, taken):
    """HTTPS and MQTT over TLS."""
    mqtts = free_port()
    with open(node.folder / "linnet.toml", "a", encoding="utf-8") as settings:
        settings.write(SETTINGS.format(port=mqtts))
    with step("it makes a certificate of its own and tells its fingerprint"):
        node.start()
        node.certificate = node.data / "tls" / "certificate.pem"
        shown = ssl.get_server_certificate(tuple(node.https.split(":")), timeout=PATIENCE)
        fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest()
        told = re.search(r"certificate SHA-256 (\S+)", node.said)[1]
        assert told.replace(":", "").lower() == fingerprint, (told, fingerprint)
    with step("who does not trust the certificate does not go on"):
        refused = asked(node, OFFERS[0], request(alice, "GET /health"), False)
        assert refused.returncode and not refused.stdout, refused
    before = node.settled()
    answered(node, OFFERS[0], alice, "GET /health")
    taken["a TLS 1.3 connection with a request (X25519, AES-128-GCM)"] = node.settled() - before
    for offer in OFFERS:
        with step(f"a message is posted and read back over HTTPS with {', '.join(offer)}"):
            text = f"over {' '.join(offer)}"
            body = json.dumps({"message": {"rid": "GENERAL", "msg": text}})
            told = answered(node, offer, alice, "POST /api/v1/chat.sendMessage", body)
            texts.append(told["message"]["msg"])
            page = answered(node, offer, alice, "GET /api/v1/channels.history?roomId=GENERAL&count=1")
            assert page["messages"][0]["msg"] == text, page
    key = json.loads(node.command("device", "add", "porch", "--room", "general", "--json"))["token"]
    for protocol, version in (("tlsv1.3", "mqttv5"), ("tlsv1.2", "mqttv311")):
        with step(f"Mosquitto's client publishes over {protocol} with a key, and what was acknowledged is in the room"):
            texts.append(f"by {protocol}")
            common = ["-h", "127.0.0.1", "-p", str(mqtts), "--cafile", node.certificate, "--tls-version", protocol, "-V", version,
                      "-u", "porch", "-P", key, "-q", "1"]
            subprocess.run(["mosquitto_pub", *common, "-t", "linnet/room/general/post", "-m", texts[-1]], check=True, timeout=PATIENCE)
            assert alice.history() == texts
            subprocess.run(["mosquitto_pub", *common, "-t", "porch/light", "-r", "-m", protocol], check=True, timeout=PATIENCE)
            heard = subprocess.run(["mosquitto_sub", *common, "-t", "porch/light", "-C", "1", "-W", str(PATIENCE)],
                                   check=True, timeout=PATIENCE + 5, capture_output=True, text=True)
            assert heard.stdout.strip() == protocol, heard
    with step("it stops when asked"):
        assert node.stop() == 0
