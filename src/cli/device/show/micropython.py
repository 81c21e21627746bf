# "@NAME@" says that it is there, tells how long it runs, and shows what it is told.
# The board is in the network already (boot.py); umqtt.simple is part of MicroPython for ESP8266, and comes by
# `mip.install("umqtt.simple")` on others.
import time
from umqtt.simple import MQTTClient


def on_message(topic, payload):
    print(topic, payload)


client = MQTTClient("@NAME@", "@HOST@", port=@PORT@, user="@NAME@", password="@KEY@", keepalive=60)
client.set_callback(on_message)
client.set_last_will(b"@NAME@/status", b"offline", retain=True, qos=1)
client.connect()
client.publish(b"@NAME@/status", b"online", retain=True, qos=1)
client.subscribe(b"@NAME@/set", qos=1)

seconds = 0
while True:
    client.check_msg()
    if seconds % 30 == 0:
        client.publish(b"@NAME@/uptime", str(seconds).encode(), qos=1)
    time.sleep(1)
    seconds += 1
