// "@NAME@" says that it is there, tells how long it runs, and shows what it is told.
// For ESP8266 and ESP32, with the library PubSubClient.
#if defined(ESP8266)
#include <ESP8266WiFi.h>
#else
#include <WiFi.h>
#endif
#include <PubSubClient.h>

WiFiClient wifi;
PubSubClient mqtt(wifi);

void onMessage(char* topic, byte* payload, unsigned int length) {
  Serial.print(topic);
  Serial.print(": ");
  Serial.write(payload, length);
  Serial.println();
}

void joinNode() {
  while (!mqtt.connected()) {
    // Last will: whoever listens hears "offline" when this board is gone.
    if (mqtt.connect("@NAME@", "@NAME@", "@KEY@", "@NAME@/status", 1, true, "offline")) {
      mqtt.publish("@NAME@/status", "online", true);
      mqtt.subscribe("@NAME@/set", 1);
    } else {
      Serial.print("MQTT state ");
      Serial.println(mqtt.state());
      delay(2000);
    }
  }
}

void setup() {
  Serial.begin(115200);
  WiFi.mode(WIFI_STA);
  WiFi.begin();  // the network this board was in before; a new board wants its name and password here
  while (WiFi.status() != WL_CONNECTED) delay(100);
  mqtt.setServer("@HOST@", @PORT@);
  mqtt.setCallback(onMessage);
}

void loop() {
  static unsigned long told = 0;
  joinNode();
  mqtt.loop();
  if (millis() - told >= 60000) {
    told = millis();
    mqtt.publish("@NAME@/uptime", String(told / 1000).c_str());
  }
}
