"""paho-mqtt with what MQTT 5.0 has more: properties, reasons, expiry, flow, shared subscriptions."""

import sys

from paho.mqtt.client import MQTTv5
from paho.mqtt.subscribeoptions import SubscribeOptions

from mqtt_peer import Peer, entered, properties
from own_node import Node
from steps import end, step

RIGHTS = ("--publish", "porch/#", "--subscribe", "porch/#")


def carried(ear, mouth):
    """What a publication carries beside its payload."""
    with step("properties of a publication arrive as they were sent, user properties in their order"):
        ear.subscribe("porch/asks", options=SubscribeOptions(qos=1), properties=properties(
            "SUBSCRIBE", SubscriptionIdentifier=42))
        pairs = [("a", "1"), ("a", "2"), ("ä", "ö")]
        mouth.publish("porch/asks", "21.5", properties=properties(
            "PUBLISH", UserProperty=pairs, ContentType="text/plain", ResponseTopic="porch/answers",
            CorrelationData=b"\x00\xff", PayloadFormatIndicator=1, MessageExpiryInterval=600))
        had = ear.hear().properties
        assert had.UserProperty == pairs, had
        assert (had.ContentType, had.ResponseTopic, had.CorrelationData) == (
            "text/plain", "porch/answers", b"\x00\xff"), had
        assert had.PayloadFormatIndicator == 1 and 590 <= had.MessageExpiryInterval <= 600, had
        assert had.SubscriptionIdentifier == [42], had
    with step("a topic is said once and then by its alias"):
        ear.subscribe("porch/alias", options=SubscribeOptions(qos=1))
        for topic, payload in (("porch/alias", "by name"), ("", "by alias")):
            mouth.publish(topic, payload, properties=properties("PUBLISH", TopicAlias=3))
        assert [(m.topic, m.payload) for m in (ear.hear(), ear.hear())] == [
            ("porch/alias", b"by name"), ("porch/alias", b"by alias")]


def options(ear, mouth):
    """What a subscription can ask for."""
    with step("who asks not to hears nothing of its own"):
        ear.subscribe("porch/own", options=SubscribeOptions(qos=1, noLocal=True))
        ear.publish("porch/own", "mine")
        mouth.publish("porch/own", "yours")
        assert ear.texts(1) == ["yours"]
    with step("what is retained comes as a subscription wants it: always, when it is new, never"):
        mouth.publish("porch/kept", "kept", retain=True)
        # The second time with 1 the subscription is not new.
        for handling, told in ((1, True), (1, False), (0, True), (2, False)):
            wanted = SubscribeOptions(qos=1, retainHandling=handling, retainAsPublished=True)
            ear.subscribe("porch/kept", options=wanted)
            mouth.publish("porch/kept", f"next {handling}", retain=True)
            heard = [ear.hear() for _ in range(2 if told else 1)]
            texts = ["kept"] * told + [f"next {handling}"]
            assert [message.payload.decode() for message in heard] == texts, (handling, texts)
            assert heard[-1].retain, "as it was published"
            mouth.publish("porch/kept", "kept", retain=True)
            assert ear.texts(1) == ["kept"]
        mouth.publish("porch/kept", "", retain=True)
        assert ear.texts(1) == [""]


def reasons(node, login):
    """Words that help."""
    with entered(node, MQTTv5, "porch-1", login) as peer:
        with step("a refusal names its reason"):
            for topic, why in (("other/x", "Not authorized"), ("linnet/status", "Not authorized"),
                               ("linnet/room/nowhere/post", "Topic name invalid")):
                code = peer.publish(topic, "x")
                assert str(code) == why, (topic, code)
            peer.client.subscribe("other/#", 1)
            assert str(peer.next("granted")[1][0]) == "Not authorized"
            peer.client.publish("other/x", "x", 1)
            said = peer.next("taken")[2]
            assert 'linnet device allow NAME --publish "other/x"' in said.ReasonString, said
    with step("a client without a name is given one"):
        with entered(node, MQTTv5, "", login) as peer:
            assert peer.answer.AssignedClientIdentifier, peer.answer
    with step("the answer to a greeting tells what the node can"):
        with entered(node, MQTTv5, "porch-1", login) as peer:
            told = peer.answer
            assert told.TopicAliasMaximum > 0 and told.ReceiveMaximum > 0, told
            # What is not named is there.
            for name in ("RetainAvailable", "WildcardSubscriptionAvailable", "SharedSubscriptionAvailable"):
                assert getattr(told, name, 1) == 1, told


def expiry(node, login):
    """What ends by itself."""
    with step("a publication that is too old is not told to who comes back, one that is not is"):
        stays = Peer(node, MQTTv5, "porch-stays", login, stays=True).enter()
        stays.subscribe("porch/late", 1)
        stays.leave()
        with entered(node, MQTTv5, "porch-1", login) as mouth:
            brief = properties("PUBLISH", MessageExpiryInterval=1)
            mouth.publish("porch/late", "milk", properties=brief)
            mouth.publish("porch/late", "honey", properties=properties("PUBLISH", MessageExpiryInterval=600))
            # A second of the node's: a will that is told a second after its client has gone marks it.
            mouth.subscribe("porch/second", 1)
            dies = Peer(node, MQTTv5, "porch-dies", login, stays=True)
            later = properties("WILLMESSAGE", WillDelayInterval=2)
            dies.client.will_set("porch/second", "over", 1, properties=later)
            dies.enter().lose()
            assert mouth.texts(1) == ["over"]
        stays = Peer(node, MQTTv5, "porch-stays", login, stays=True).enter()
        assert stays.flags.session_present
        assert stays.texts(1) == ["honey"]
        stays.leave()


def flow(node, login):
    """How much is on its way at one time, and how large."""
    with step("a client that takes three at a time gets all of a hundred"):
        stays = Peer(node, MQTTv5, "porch-slow", login, stays=True).enter()
        stays.subscribe("porch/flow", 2)
        stays.leave()
        with entered(node, MQTTv5, "porch-1", login) as mouth:
            for number in range(100):
                mouth.publish("porch/flow", str(number), 1 + number // 50)
        stays = Peer(node, MQTTv5, "porch-slow", login, stays=True).enter(ReceiveMaximum=3)
        assert stays.texts(100) == [str(number) for number in range(100)]
        stays.leave()
    with step("a client is sent nothing larger than it takes"):
        with entered(node, MQTTv5, "porch-1", login) as mouth:
            small = Peer(node, MQTTv5, "porch-small", login).enter(MaximumPacketSize=200)
            small.subscribe("porch/size", 1)
            for text in ("x" * 500, "fits"):
                mouth.publish("porch/size", text)
            assert small.texts(1) == ["fits"]
            small.leave()


def shared(node, login):
    """Work that several do together."""
    with step("of those who share a subscription one hears each publication"):
        with entered(node, MQTTv5, "porch-a", login) as one, entered(node, MQTTv5, "porch-b", login) as other, \
                entered(node, MQTTv5, "porch-1", login) as mouth:
            for worker in (one, other):
                assert worker.subscribe("$share/work/porch/jobs", 1) == 1
                assert worker.subscribe("porch/end", 1) == 1
            for number in range(100):
                mouth.publish("porch/jobs", str(number))
            mouth.publish("porch/end", "end")
            done = [every_text(worker) for worker in (one, other)]
            assert all(done), "one of them did all of it"
            assert sorted(done[0] + done[1], key=int) == [str(number) for number in range(100)], done


def every_text(peer):
    """What is heard until the end."""
    heard = []
    while True:
        text = peer.hear().payload.decode()
        if text == "end":
            return heard
        heard.append(text)


def takeover(node, login):
    """Two with one name."""
    with step("a second client of the same name takes the place of the first, which is told so"):
        first = Peer(node, MQTTv5, "porch-one", login).enter()
        first.client.reconnect_delay_set(60, 60)
        with entered(node, MQTTv5, "porch-one", login) as second:
            assert str(first.next("gone")[0]) == "Session taken over"
            second.subscribe("porch/x", 1)
            second.publish("porch/x", "here")
            assert second.texts(1) == ["here"]
        first.leave()
    with step("nobody takes the place of another device's client"):
        thief = ("thief", node.device("thief"))
        with entered(node, MQTTv5, "porch-one", login) as owner:
            other = Peer(node, MQTTv5, "porch-one", thief)
            code = other.connect()[0]
            other.leave()
            assert code.is_failure, code
            owner.subscribe("porch/x", 1)
            owner.publish("porch/x", "still here")
            assert owner.texts(1) == ["still here"]


with Node(sys.argv[1]) as linnet:
    PORCH = ("porch", linnet.device("porch", *RIGHTS))
    with entered(linnet, MQTTv5, "ear", PORCH) as EAR, entered(linnet, MQTTv5, "mouth", PORCH) as MOUTH:
        carried(EAR, MOUTH)
        options(EAR, MOUTH)
    reasons(linnet, PORCH)
    expiry(linnet, PORCH)
    flow(linnet, PORCH)
    shared(linnet, PORCH)
    takeover(linnet, PORCH)
end()
