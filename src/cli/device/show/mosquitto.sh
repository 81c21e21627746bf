mosquitto_pub -h @HOST@ -p @PORT@ -u '@NAME@' -P '@KEY@' -q 1 -t '@NAME@/temperature' -m 21.5
mosquitto_sub -h @HOST@ -p @PORT@ -u '@NAME@' -P '@KEY@' -q 1 -v -t '@NAME@/#'
