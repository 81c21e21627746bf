"""What stands in a house with Zigbee2MQTT and Tasmota, and what it says at a broker, in the forms that they send."""

import json


def expose(kind, name, **more):
    """One value of a Zigbee device."""
    return {"access": 1, "label": name.capitalize(), "name": name, "property": name, "type": kind, **more}


def zigbee(name, model, exposes, kind="EndDevice"):
    """An entry of `bridge/devices`."""
    definition = {"description": model, "exposes": exposes, "model": model, "options": [], "supports_ota": False,
                  "vendor": "Aqara"}
    return {"definition": definition, "disabled": False, "endpoints": {"1": {"bindings": [], "clusters": {}}},
            "friendly_name": name, "ieee_address": "0x00158d0004866b1f", "interview_completed": True,
            "interviewing": False, "network_address": 6536, "power_source": "Battery", "supported": True, "type": kind}


COORDINATOR = {"definition": None, "friendly_name": "Coordinator", "ieee_address": "0x00124b0018ed2fe7",
               "interview_completed": True, "network_address": 0, "supported": True, "type": "Coordinator"}
LINKQUALITY = expose("numeric", "linkquality", unit="lqi", value_max=255, value_min=0)
LIGHT = {"type": "light", "features": [
    expose("binary", "state", access=7, value_off="OFF", value_on="ON", value_toggle="TOGGLE"),
    expose("numeric", "brightness", access=7, value_max=254, value_min=0),
    {"type": "composite", "name": "color_xy", "property": "color", "features": [expose("numeric", "x"), expose("numeric", "y")]}]}

DEVICES = [
    COORDINATOR,
    zigbee("garden/door", "MCCGQ11LM", [expose("binary", "contact", value_off=True, value_on=False),
                                        expose("numeric", "battery", unit="%", value_max=100, value_min=0), LINKQUALITY]),
    zigbee("climate", "WSDCGQ11LM", [expose("numeric", "temperature", unit="°C"), expose("numeric", "humidity", unit="%"),
                                     expose("numeric", "pressure", unit="hPa"), LINKQUALITY]),
    zigbee("lamp", "LED1545G12", [LIGHT, expose("enum", "power_on_behavior", access=7, values=["off", "on"])], "Router"),
    zigbee("button", "WXKG11LM", [expose("enum", "action", values=["single", "double", "hold"])]),
]

# What is retained there, as after a start: topic and payload.
ZIGBEE_KEPT = [
    ("zigbee2mqtt/bridge/state", {"state": "online"}),
    ("zigbee2mqtt/bridge/info", {"version": "2.1.3", "coordinator": {"type": "zStack12"}, "permit_join": False,
                                 "log_level": "info", "network": {"channel": 11, "pan_id": 6754}}),
    ("zigbee2mqtt/bridge/devices", DEVICES),
    ("zigbee2mqtt/bridge/groups", [{"friendly_name": "hall", "id": 1, "members": [], "scenes": []}]),
    ("zigbee2mqtt/garden/door/availability", {"state": "online"}),
    ("zigbee2mqtt/climate/availability", {"state": "online"}),
    # As versions before 2 said it.
    ("zigbee2mqtt/lamp/availability", "offline"),
]
# What happens later, and how it reads in a room; None where it is nothing for people. What is for people comes last: by
# then the rest would have been heard.
ZIGBEE_SAID = [
    ("zigbee2mqtt/lamp/set", '{"state":"OFF"}', None),
    ("zigbee2mqtt/lamp/get", '{"state":""}', None),
    ("zigbee2mqtt/garden/door/availability", '{"state":"offline"}', None),
    ("zigbee2mqtt/bridge/logging", '{"level":"info","message":"z2m: MQTT publish","namespace":"z2m:mqtt"}', None),
    ("zigbee2mqtt/bridge/event", '{"data":{"friendly_name":"lamp"},"type":"device_announce"}', None),
    ("zigbee2mqtt/garden/door", '{"battery":97,"contact":false,"linkquality":115,"voltage":3055}', "garden/door: {}"),
    ("zigbee2mqtt/climate", '{"humidity":48.3,"linkquality":87,"pressure":1012.4,"temperature":21.57}', "climate: {}"),
    ("zigbee2mqtt/lamp", '{"brightness":254,"color":{"x":0.45,"y":0.41},"color_mode":"xy","state":"ON"}', "lamp: {}"),
]

PLUG = {"ip": "192.168.1.33", "dn": "Plug", "fn": ["Plug", None], "hn": "plug-4711", "mac": "8CAAB5616D88", "md": "Sonoff",
        "ofln": "Offline", "onln": "Online", "state": ["OFF", "ON", "TOGGLE", "HOLD"], "sw": "14.4.1", "t": "plug",
        "ft": "%prefix%/%topic%/", "tp": ["cmnd", "stat", "tele"], "rl": [1, 0], "ver": 1}
TASMOTA_KEPT = [
    ("tasmota/discovery/8CAAB5616D88/config", PLUG),
    ("tasmota/discovery/8CAAB5616D88/sensors", {"sn": {"Time": "2026-05-01T12:00:00", "ENERGY": {"Power": 0}}, "ver": 1}),
    ("tele/plug/LWT", "Online"),
    ("tele/porch/LWT", "Online"),
    ("attic/tele/LWT", "Offline"),
]
STATE = ('{"Time":"2026-05-01T12:00:00","Uptime":"1T10:11:12","UptimeSec":123072,"Heap":25,"SleepMode":"Dynamic","Sleep":50,'
         '"LoadAvg":19,"MqttCount":1,"POWER":"ON","Wifi":{"AP":1,"SSId":"home","RSSI":62,"Signal":-69,"Downtime":"0T00:00:03"}}')
# All that Tasmota reports by itself.
TASMOTA_SAID = [
    ("tele/plug/STATE", STATE, None),
    ("tele/plug/INFO1", '{"Info1":{"Module":"Sonoff","Version":"14.4.1(tasmota)","FallbackTopic":"cmnd/DVES_1_fb/"}}', None),
    ("tele/plug/UPTIME", '{"Time":"2026-05-01T12:00:00","Uptime":"1T10:11:12"}', None),
    ("tele/plug/SENSOR", '{"Time":"2026-05-01T12:00:00","ENERGY":{"TotalStartTime":"2025-11-14T20:58:56","Total":3.185,'
     '"Yesterday":0.072,"Today":0.035,"Power":[12,3],"ApparentPower":17,"Factor":0.7,"Voltage":233,"Current":0.073}}',
     "plug: {}"),
    ("tele/porch/SENSOR", '{"Time":"2026-05-01T12:00:00","DS18B20-1":{"Id":"0316A2","Temperature":21.5},"BME280":'
     '{"Temperature":20.1,"Humidity":48.1,"DewPoint":8.9,"Pressure":1013.2},"TempUnit":"C","PressureUnit":"hPa"}', "porch: {}"),
    ("attic/tele/SENSOR", '{"Time":"2026-05-01T12:00:00","ANALOG":{"A0":512},"Switch1":"ON"}', "attic: {}"),
]
# All forms of an answer to a command.
RESULTS = [
    ("POWER", "ON"),
    ("RESULT", '{"POWER":"ON"}'),
    ("RESULT", '{"POWER1":"OFF","Dimmer":50,"Color":"FF8800","HSBColor":"32,100,50","White":0,"CT":153,"Channel":[100,53,0]}'),
    ("RESULT", '{"Command":"Unknown","Input":"POWR"}'),
    ("RESULT", '{"Timers":"ON"}'),
    ("RESULT", '{"Rule1":{"State":"ON","Once":"OFF","StopOnError":"OFF","Length":5,"Free":506,"Rules":"on x"}}'),
    ("RESULT", '{"POWER":"ON","Backlog":[]}'),
    ("STATUS", '{"Status":{"Module":1,"DeviceName":"Plug","FriendlyName":["Plug"],"Topic":"plug","Power":"1"}}'),
    ("STATUS10", '{"StatusSNS":{"Time":"2026-05-01T12:00:00","ENERGY":{"Power":12}}}'),
]


def text(payload):
    """A payload as it goes over the wire."""
    return payload if isinstance(payload, str) else json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
